//! Text with expressions in it.

use super::Scope;
use super::ast::Node;
use super::eval::eval_in;
use super::lexer::failure;
use super::parser::Parser;
use super::{MAX_TEMPLATE, MAX_TEXT, json};
use crate::{Budget, ToolError};
use gtm_error::{Code, Error, Result};
use std::sync::Arc;

/// Text with expressions in braces, such as `Only {flight.seats} seats left`. `{{` and `}}` are
/// braces. Text values appear as they are, all others as compact JSON: null is `null`.
#[derive(Clone, Debug)]
pub struct Template(Arc<[Part]>);

#[derive(Debug)]
enum Part {
    Text(String),
    Hole(Node),
}

impl Template {
    /// Compiles a template.
    pub fn parse(text: &str) -> Result<Template> {
        if text.len() > MAX_TEMPLATE {
            return Err(Error::new(
                Code::ExpressionInvalid,
                format!("the text has {} bytes, more than {MAX_TEMPLATE}", text.len()),
            ));
        }
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut at = 0;
        while let Some(found) = text[at..].find(['{', '}']) {
            let brace = at + found;
            plain.push_str(&text[at..brace]);
            let mark = &text[brace..=brace];
            if text[brace + 1..].starts_with(mark) {
                plain.push_str(mark);
                at = brace + 2;
            } else if mark == "}" {
                return Err(failure(text, brace, "`}` without `{`").expected("`}}` for a brace"));
            } else {
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                }
                let (node, end) = Parser::new(text, brace + 1)?.hole()?;
                if end - brace > MAX_TEXT {
                    return Err(failure(
                        text,
                        brace,
                        format!("the expression has more than {MAX_TEXT} bytes"),
                    ));
                }
                parts.push(Part::Hole(node));
                at = end;
            }
        }
        plain.push_str(&text[at..]);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Template(parts.into()))
    }

    /// The text with its holes filled.
    pub fn render(&self, scope: &Scope, budget: &mut Budget) -> std::result::Result<String, ToolError> {
        let mut out = String::new();
        for part in self.0.iter() {
            match part {
                Part::Text(text) => {
                    budget.allocate(text.len()).map_err(super::Fault::from)?;
                    out.push_str(text);
                }
                Part::Hole(node) => {
                    let value = eval_in(node, scope, budget)?;
                    json::write_plain(&value, &mut out, budget)?;
                }
            }
        }
        Ok(out)
    }

    /// The names it takes from its scope, each once, in order of first use.
    pub fn free_names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for part in self.0.iter() {
            if let Part::Hole(node) = part {
                node.visit_free(&mut Vec::new(), &mut |name| {
                    if !names.contains(&name) {
                        names.push(name);
                    }
                });
            }
        }
        names
    }
}
