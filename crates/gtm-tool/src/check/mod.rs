//! Checking values (arguments, replies, states) against a schema.

mod explain;

use crate::Limits;
use crate::admit::{Admission, examine};
use crate::normalise::mend;
use gtm_error::{Code, Error, Result};
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::Value;

/// What is wrong with a value, in terms a caller can act on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violation {
    /// JSON pointer to the faulty part of the value; for a missing property, to the object that
    /// lacks it. Empty for the value itself.
    pub path: String,
    /// The schema keyword that failed, such as `required` or `type`.
    pub keyword: String,
    /// One sentence naming the argument, without a full stop.
    pub message: String,
    /// What would have been right.
    pub expected: String,
    /// Name of the required property that is missing.
    pub missing: Option<String>,
    /// Name of the property that is not allowed.
    pub unexpected: Option<String>,
}

/// A compiled schema.
///
/// JSON Schema 2020-12. `format` is an annotation, as the standard has it by default: published
/// specs say `date-time` of what their servers take as `2024-01-01`, and a simulated tool must not
/// refuse what the real one takes.
#[derive(Debug)]
pub struct Checker {
    validator: Validator,
    /// The same but for patterns that take more than linear time, if there are such: for values
    /// with strings so long that it matters.
    linear: Option<Validator>,
    max_depth: Option<usize>,
    ignored: Vec<String>,
}

/// Keywords dropped from one schema before giving up on it.
const MAX_REPAIRS: usize = 16;
/// Steps that a pattern with look-around or back-references may go back. One that needs more
/// counts as matched: what cannot be decided is not held against the caller.
const BACKTRACK_LIMIT: usize = 10_000;
/// Bytes of a string beyond which such patterns are not tried: each step can cost its length.
const MAX_BACKTRACKED: usize = 4_096;

/// Which regular expressions are understood.
#[derive(Clone, Copy)]
enum Engine {
    /// Those matched in linear time.
    Linear,
    /// Look-around and back-references as well.
    Backtracking,
}

impl Checker {
    /// Admits ([`crate::admit`]) and compiles a schema.
    ///
    /// A schema that breaks its own rules is mended first ([`crate::normalise`]); a keyword that
    /// still cannot be compiled, such as a `pattern` of another regex dialect, is left out and
    /// listed by [`Checker::ignored`]. Fails with the codes of [`crate::admit`], and with
    /// [`Code::SchemaInvalid`] where nothing helps.
    pub fn new(schema: &Value, limits: &Limits) -> Result<Checker> {
        match examine(schema, limits) {
            Ok(admission) => {
                if let Ok(validator) = compile(schema, Engine::Linear, limits) {
                    return Ok(Checker {
                        validator,
                        linear: None,
                        max_depth: admission.max_value_depth,
                        ignored: Vec::new(),
                    });
                }
            }
            Err(error) if error.code() == Code::SchemaInvalid => {}
            Err(error) => return Err(error),
        }
        let mended = mend(schema.clone());
        let (linear, admission, ignored) = repaired(mended.clone(), Engine::Linear, limits)?;
        let max_depth = admission.max_value_depth;
        if !ignored.is_empty()
            && let Ok((validator, _, fewer)) = repaired(mended, Engine::Backtracking, limits)
            && fewer.len() < ignored.len()
        {
            return Ok(Checker { validator, linear: Some(linear), max_depth, ignored: fewer });
        }
        Ok(Checker { validator: linear, linear: None, max_depth, ignored })
    }

    /// Checks a value. The valid case allocates nothing.
    #[expect(clippy::result_large_err, reason = "the error is made once per refused call and read at once")]
    pub fn check(&self, value: &Value) -> std::result::Result<(), Violation> {
        if let Some(max) = self.max_depth
            && deeper_than(value, max)
        {
            return Err(explain::too_deep(max));
        }
        let validator = match &self.linear {
            Some(linear) if has_long_string(value) => linear,
            _ => &self.validator,
        };
        if validator.is_valid(value) {
            return Ok(());
        }
        explain::violation(validator.iter_errors(value)).map_or(Ok(()), Err)
    }

    /// JSON pointers to keywords of the (mended) schema that could not be compiled and are not
    /// checked.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }
}

/// Compiles what can be compiled: a keyword that cannot is taken out, and its place given.
fn repaired(
    mut schema: Value,
    engine: Engine,
    limits: &Limits,
) -> Result<(Validator, Admission, Vec<String>)> {
    let mut ignored = Vec::new();
    loop {
        let admission = examine(&schema, limits)?;
        let error = match compile(&schema, engine, limits) {
            Ok(validator) => return Ok((validator, admission, ignored)),
            Err(error) => error,
        };
        let place = error.instance_path().to_string();
        if ignored.len() == MAX_REPAIRS || !remove(&mut schema, &place) {
            return Err(invalid(&error));
        }
        ignored.push(place);
    }
}

fn compile(
    schema: &Value,
    engine: Engine,
    limits: &Limits,
) -> std::result::Result<Validator, Box<ValidationError<'static>>> {
    let memory = limits.pattern_memory;
    let options =
        jsonschema::options().with_draft(Draft::Draft202012).offline().should_validate_formats(false);
    let options = match engine {
        Engine::Linear => {
            options.with_pattern_options(PatternOptions::regex().size_limit(memory).dfa_size_limit(memory))
        }
        Engine::Backtracking => options.with_pattern_options(
            PatternOptions::fancy_regex()
                .backtrack_limit(BACKTRACK_LIMIT)
                .size_limit(memory)
                .dfa_size_limit(memory),
        ),
    };
    options.build(schema).map_err(Box::new)
}

fn invalid(error: &ValidationError<'_>) -> Error {
    let place = error.instance_path().to_string();
    let error = Error::new(Code::SchemaInvalid, format!("the schema cannot be compiled: {error}"));
    if place.is_empty() { error } else { error.at(place) }
}

/// Takes the value at a JSON pointer out of its parent.
fn remove(root: &mut Value, pointer: &str) -> bool {
    let Some((parent, key)) = pointer.rsplit_once('/') else { return false };
    match root.pointer_mut(parent) {
        Some(Value::Object(map)) => map.shift_remove(&key.replace("~1", "/").replace("~0", "~")).is_some(),
        // A list item: the list as a whole is what cannot be compiled.
        Some(Value::Array(_)) => remove(root, parent),
        _ => false,
    }
}

fn has_long_string(value: &Value) -> bool {
    let mut stack = vec![value];
    while let Some(value) = stack.pop() {
        match value {
            Value::String(text) if text.len() > MAX_BACKTRACKED => return true,
            Value::Array(items) => stack.extend(items),
            Value::Object(map) => stack.extend(map.values()),
            _ => {}
        }
    }
    false
}

fn deeper_than(value: &Value, max: usize) -> bool {
    let mut stack = vec![(value, 0)];
    while let Some((value, depth)) = stack.pop() {
        if depth > max {
            return true;
        }
        match value {
            Value::Array(items) => stack.extend(items.iter().map(|v| (v, depth + 1))),
            Value::Object(map) => stack.extend(map.values().map(|v| (v, depth + 1))),
            _ => {}
        }
    }
    false
}
