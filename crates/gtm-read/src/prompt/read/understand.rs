//! Completions as behaviors.

use super::super::parse::{Parser, wrong};
use super::super::symbols::Symbols;
use gtm_error::Result;
use gtm_world::ErrorKind;
use gtm_world::behavior::{
    Behavior, Compute, Create, Delete, FillMembers, Get, ListRows, Op, Require, Sort, Step, Update,
};
use serde_json::{Map as JsonMap, Value as Json};

/// Longest completion that is read, in bytes, and deepest nesting of `attempt` and `do`.
const LONGEST: usize = 32 << 10;
const NESTED: usize = 4;

pub(super) fn behavior(symbols: &Symbols, completion: &str) -> Result<Behavior> {
    if completion.len() > LONGEST {
        return Err(wrong(format!("the completion has more than {LONGEST} bytes")));
    }
    let lines: Vec<&str> = completion.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    match lines.as_slice() {
        [] => Err(wrong("the completion says nothing")),
        ["direct"] => Ok(Behavior { direct: true, ..Behavior::default() }),
        lines => {
            let unchecked = lines[0] == "unchecked";
            let mut reader = Reader { symbols, lines: &lines[usize::from(unchecked)..] };
            let steps = reader.steps(0)?;
            Ok(Behavior { steps, unchecked, ..Behavior::default() })
        }
    }
}

struct Reader<'a> {
    symbols: &'a Symbols,
    lines: &'a [&'a str],
}

impl Reader<'_> {
    /// Steps up to the end, or within a block up to its `end`.
    fn steps(&mut self, nested: usize) -> Result<Vec<Step>> {
        let mut out = Vec::new();
        while let Some((line, rest)) = self.lines.split_first() {
            self.lines = rest;
            if *line == "end" && nested > 0 {
                return Ok(out);
            }
            out.push(self.step(line, nested)?);
        }
        match nested {
            0 => Ok(out),
            _ => Err(wrong("a block has no `end`")),
        }
    }

    fn step(&mut self, line: &str, nested: usize) -> Result<Step> {
        let mut p = Parser::new(self.symbols, line)?;
        let mut when = None;
        if p.accept_word("if") {
            when = Some(p.expression()?);
            if !p.accept_word("then") {
                return Err(wrong("a condition is followed by `then`"));
            }
        }
        let op = match p.next_word()? {
            word @ ("attempt" | "do") if nested < NESTED => {
                let inner = self.steps(nested + 1)?;
                if word == "do" { Op::Do(inner) } else { Op::Attempt(inner) }
            }
            word => operation(&mut p, word)?,
        };
        match p.done() {
            true => Ok(Step { when, op, note: None }),
            false => Err(wrong(format!("the line `{line}` goes on after its end"))),
        }
    }
}

fn operation(p: &mut Parser<'_>, word: &str) -> Result<Op> {
    match word {
        "let" => {
            let value = p.template()?;
            if !p.accept_word("as") {
                return Err(wrong("`let` needs a name after `as`"));
            }
            Ok(Op::Let(JsonMap::from_iter([(p.local()?, value)])))
        }
        "reply" => Ok(Op::Reply(p.template()?)),
        "has" | "lacks" | "need" => {
            let text = Some(p.expression()?);
            let mut op = match word {
                "has" => Require { exists: text, ..Require::default() },
                "lacks" => Require { absent: text, ..Require::default() },
                _ => Require { that: text, ..Require::default() },
            };
            clauses(p, |p, clause| {
                match clause {
                    "answer" => op.reply = Some(p.template()?),
                    _ => op.error = Some(kind(clause)?),
                }
                Ok(())
            })?;
            Ok(Op::Require(op))
        }
        "get" => get(p),
        "list" => list(p),
        "create" => create(p),
        "update" => update(p),
        "delete" => delete(p),
        "compute" => compute(p),
        _ => Err(wrong(format!("there is no step `{word}`"))),
    }
}

/// `; WORD …`, as often as there are some.
fn clauses<'a>(p: &mut Parser<'a>, mut take: impl FnMut(&mut Parser<'a>, &str) -> Result<()>) -> Result<()> {
    while p.accept(";") {
        let word = p.next_word()?;
        take(p, word)?;
    }
    Ok(())
}

fn kind(word: &str) -> Result<ErrorKind> {
    serde_json::from_value(Json::from(word)).map_err(|_| wrong(format!("`{word}` has no meaning here")))
}

/// `at PLACE`, or a collection: the first or the second of the two.
fn target(p: &mut Parser<'_>) -> Result<(Option<String>, Option<String>)> {
    Ok(match p.accept_word("at") {
        true => (Some(p.expression()?), None),
        false => (None, Some(p.expression()?)),
    })
}

fn get(p: &mut Parser<'_>) -> Result<Op> {
    let (at, within) = target(p)?;
    let mut op = Get { at, within, ..Get::default() };
    clauses(p, |p, clause| {
        match clause {
            "id" => op.id = Some(p.expression()?),
            "where" => op.filter = Some(p.expression()?),
            "optional" => op.optional = true,
            "as" => op.bind = Some(p.local()?),
            _ => op.error = Some(kind(clause)?),
        }
        Ok(())
    })?;
    Ok(Op::Get(op))
}

fn list(p: &mut Parser<'_>) -> Result<Op> {
    let mut op = ListRows { within: p.expression()?, ..ListRows::default() };
    clauses(p, |p, clause| {
        match clause {
            "where" => op.filter = Some(p.expression()?),
            "match" => op.equal = p.object()?,
            "search" => op.search = Some(p.expression()?),
            "sort" => op.sort = Some(Sort { by: p.expression()?, descending: None }),
            "descending" => match &mut op.sort {
                Some(sort) => sort.descending = Some(p.expression()?),
                None => return Err(wrong("`descending` comes after `sort`")),
            },
            "offset" => op.offset = Some(p.expression()?),
            "limit" => op.limit = Some(p.expression()?),
            "as" => op.bind = Some(p.local()?),
            "total" => op.total = Some(p.local()?),
            _ => return Err(wrong(format!("`list` has no `{clause}`"))),
        }
        Ok(())
    })?;
    Ok(Op::List(op))
}

fn create(p: &mut Parser<'_>) -> Result<Op> {
    let mut op = Create { within: p.expression()?, ..Create::default() };
    clauses(p, |p, clause| {
        match clause {
            "id" => op.id = Some(p.expression()?),
            "from" => op.from = Some(p.expression()?),
            "set" => op.set = p.object()?,
            "required" => op.fill = FillMembers::Required,
            "all" => op.fill = FillMembers::All,
            "replace" => op.replace = true,
            "as" => op.bind = Some(p.local()?),
            _ => return Err(wrong(format!("`create` has no `{clause}`"))),
        }
        Ok(())
    })?;
    Ok(Op::Create(op))
}

fn update(p: &mut Parser<'_>) -> Result<Op> {
    let (at, within) = target(p)?;
    let mut op = Update { at, within, ..Update::default() };
    clauses(p, |p, clause| {
        match clause {
            "id" => op.id = Some(p.expression()?),
            "value" => op.value = Some(p.template()?),
            "merge" => op.merge = Some(p.expression()?),
            "set" => op.set = p.object()?,
            "unset" => op.unset.push(p.member()?.ok_or_else(|| wrong("`unset` needs a member"))?),
            "upsert" => op.upsert = true,
            "as" => op.bind = Some(p.local()?),
            _ => op.error = Some(kind(clause)?),
        }
        Ok(())
    })?;
    Ok(Op::Update(op))
}

fn delete(p: &mut Parser<'_>) -> Result<Op> {
    let (at, within) = target(p)?;
    let mut op = Delete { at, within, ..Delete::default() };
    clauses(p, |p, clause| {
        match clause {
            "id" => op.id = Some(p.expression()?),
            "missing_ok" => op.missing_ok = true,
            "as" => op.bind = Some(p.local()?),
            _ => op.error = Some(kind(clause)?),
        }
        Ok(())
    })?;
    Ok(Op::Delete(op))
}

fn compute(p: &mut Parser<'_>) -> Result<Op> {
    let mut op = Compute { over: p.expression()?, ..Compute::default() };
    clauses(p, |p, clause| {
        match clause {
            "where" => op.filter = Some(p.expression()?),
            "sum" => op.sum = Some(p.expression()?),
            "avg" => op.avg = Some(p.expression()?),
            "min" => op.min = Some(p.expression()?),
            "max" => op.max = Some(p.expression()?),
            "count" => op.count = true,
            "as" => op.bind = p.local()?,
            _ => return Err(wrong(format!("`compute` has no `{clause}`"))),
        }
        Ok(())
    })?;
    Ok(Op::Compute(op))
}
