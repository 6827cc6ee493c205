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
    max_depth: Option<usize>,
    ignored: Vec<String>,
}

/// Keywords dropped from one schema before giving up on it.
const MAX_REPAIRS: usize = 16;
/// Steps a backtracking regular expression (one with look-around or back-references) may take.
const BACKTRACK_LIMIT: usize = 100_000;

impl Checker {
    /// Admits ([`crate::admit`]) and compiles a schema.
    ///
    /// A schema that breaks its own rules is mended first ([`crate::normalise`]); a keyword that
    /// still cannot be compiled, such as a `pattern` of another regex dialect, is left out and
    /// listed by [`Checker::ignored`]. Fails with the codes of [`crate::admit`], and with
    /// [`Code::SchemaInvalid`] where nothing helps.
    pub fn new(schema: &Value, limits: &Limits) -> Result<Checker> {
        let first = match examine(schema, limits) {
            Ok(admission) => match compile(schema, limits) {
                Ok(validator) => return Ok(Checker::ready(validator, admission, Vec::new())),
                Err(error) => invalid(&error),
            },
            Err(error) if error.code() == Code::SchemaInvalid => error,
            Err(error) => return Err(error),
        };
        let mut mended = mend(schema.clone());
        let mut ignored = Vec::new();
        for _ in 0..=MAX_REPAIRS {
            let admission = examine(&mended, limits)?;
            match compile(&mended, limits) {
                Ok(validator) => return Ok(Checker::ready(validator, admission, ignored)),
                Err(error) => {
                    let place = error.instance_path().to_string();
                    if !remove(&mut mended, &place) {
                        return Err(invalid(&error));
                    }
                    ignored.push(place);
                }
            }
        }
        Err(first)
    }

    fn ready(validator: Validator, admission: Admission, ignored: Vec<String>) -> Checker {
        Checker { validator, max_depth: admission.max_value_depth, ignored }
    }

    /// Checks a value. The valid case allocates nothing.
    #[expect(clippy::result_large_err, reason = "the error is made once per refused call and read at once")]
    pub fn check(&self, value: &Value) -> std::result::Result<(), Violation> {
        if let Some(max) = self.max_depth
            && deeper_than(value, max)
        {
            return Err(explain::too_deep(max));
        }
        if self.validator.is_valid(value) {
            return Ok(());
        }
        Err(explain::violation(self.validator.iter_errors(value)))
    }

    /// JSON pointers to keywords of the (mended) schema that could not be compiled and are not
    /// checked.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }
}

fn compile(schema: &Value, limits: &Limits) -> std::result::Result<Validator, Box<ValidationError<'static>>> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        .should_validate_formats(false)
        .with_pattern_options(
            PatternOptions::fancy_regex()
                .backtrack_limit(BACKTRACK_LIMIT)
                .size_limit(limits.pattern_memory)
                .dfa_size_limit(limits.pattern_memory),
        )
        .build(schema)
        .map_err(Box::new)
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
