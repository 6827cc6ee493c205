//! Checking which calls were made.

use crate::goal::{CallPattern, Times};
use gtm_error::{Code, Error, Result, printable};
use gtm_sim::{Session, Simulator};
use gtm_world::{Str, Value};

/// A compiled [`CallPattern`].
#[derive(Clone, Debug)]
pub(crate) struct CallCheck {
    tool: String,
    arguments: Vec<(Str, Vec<Value>)>,
    only: bool,
    min: usize,
    max: usize,
    /// Whether failed calls count, too.
    failed: bool,
}

impl CallCheck {
    /// # Errors
    /// [`Code::EnvironmentInvalid`] for a tool that is not there, or an argument with no values.
    pub(crate) fn new(pattern: &CallPattern, forbidden: bool, simulator: &Simulator) -> Result<CallCheck> {
        let CallPattern { tool, arguments, choices, only, times } = pattern;
        if simulator.tool(tool).is_none() {
            let what = format!("no tool is called `{}`", printable(tool));
            return Err(Error::new(Code::EnvironmentInvalid, what).at("/tool"));
        }
        let mut wanted: Vec<(Str, Vec<Value>)> =
            arguments.iter().map(|(name, value)| (name.as_str().into(), vec![Value::from(value)])).collect();
        for (name, values) in choices {
            let values: Vec<Value> = values.as_array().into_iter().flatten().map(Value::from).collect();
            if values.is_empty() {
                let what = format!("the argument `{}` has no values to choose from", printable(name));
                return Err(Error::new(Code::EnvironmentInvalid, what).at("/choices"));
            }
            wanted.push((name.as_str().into(), values));
        }
        let Times { min, max } = times.unwrap_or_default();
        let (min, max) = match forbidden {
            true if times.is_some() => {
                let what = "`times` is for calls that are wanted";
                return Err(Error::new(Code::EnvironmentInvalid, what).at("/times"));
            }
            true => (0, 0),
            false => (min.unwrap_or(1), max.unwrap_or(usize::MAX)),
        };
        Ok(CallCheck { tool: tool.clone(), arguments: wanted, only: *only, min, max, failed: forbidden })
    }

    /// What it is about, for its name.
    pub(crate) fn about(&self) -> String {
        format!("{} {}", if self.failed { "no call of" } else { "call of" }, self.tool)
    }

    /// Whether the calls made are as wanted, and what was found.
    pub(crate) fn check(&self, simulator: &Simulator, session: &Session) -> (bool, String) {
        let fits = session
            .transcript()
            .filter(|turn| turn.call.tool == self.tool && (self.failed || !turn.reply.is_error))
            .filter(|turn| {
                // As the tool's behavior sees them: text that spells a number is that number.
                let args = simulator.examine(&turn.call).map_or(Value::Null, |(args, _)| args);
                self.fits(&args)
            })
            .count();
        let times = match fits {
            0 => "no such call was made".to_owned(),
            1 => "one such call was made".to_owned(),
            n => format!("{n} such calls were made"),
        };
        ((self.min..=self.max).contains(&fits), times)
    }

    fn fits(&self, args: &Value) -> bool {
        let wanted = self.arguments.iter().all(|(name, values)| {
            let given = args.get(name).unwrap_or(&Value::Null);
            values.iter().any(|value| value == given)
        });
        let known = |key: &Str| self.arguments.iter().any(|(name, _)| name == key);
        wanted && (!self.only || args.as_map().is_none_or(|map| map.keys().all(known)))
    }
}
