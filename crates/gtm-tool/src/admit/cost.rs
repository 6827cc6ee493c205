//! What checking a value against a schema can cost, from the graph of its subschemas.
//!
//! In-place applicators (`allOf`, `anyOf`, `$ref`, ...) apply several schemas to one value, and
//! through shared references their number can double at every level. Applicators to children
//! (`properties`, `items`) only follow the value, which is finite. So the measure is: how many
//! schemas can one value, at any depth, be checked against? It is a sum over in-place applicators
//! and a maximum over different children, computed once per schema.

use super::graph::{Child, Graph, Id};
use super::{Admission, too_large};
use crate::Limits;
use gtm_error::{Code, Error, Result};

/// Schema applications that one check may need at most when a schema recurses by several branches.
const MAX_RECURSIVE_WORK: f64 = 2e7;

/// Nesting that JSON text can have ([`Limits::depth`]), so that no check for less is needed.
const MAX_VALUE_DEPTH: usize = 128;
/// Schemas in place of one another, each inside the last, that a validator's stack has room for;
/// it uses up to 350 bytes for each, and threads may have no more than 2 MiB.
const MAX_NESTED: usize = 2_500;
/// The same for one value.
const MAX_NESTED_HERE: u64 = 256;

/// Per schema: applications to the value itself, how deep they nest, applications to its costliest
/// descendant, and how often one descendant is entered again by recursion.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    here: u64,
    nested: u64,
    below: u64,
    again: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    Open,
    Done,
}

pub(super) fn admission(graph: &Graph, limits: &Limits) -> Result<Admission> {
    let mut costs = vec![Cost::default(); graph.nodes.len()];
    in_place(graph, &mut costs)?;
    below(graph, &mut costs);
    let (mut growth, mut nested) = (1, 1);
    for (id, cost) in costs.iter().enumerate() {
        if cost.nested > MAX_NESTED_HERE {
            return Err(Error::new(
                Code::SpecTooLarge,
                "references and `allOf`s lead to one another too often",
            )
            .expected(format!("at most {MAX_NESTED_HERE} in a row"))
            .at(format!("#{}", graph.pointer(id))));
        }
        let total = cost.here.saturating_add(cost.below);
        if total > limits.schema_cost {
            let max = usize::try_from(limits.schema_cost).unwrap_or(usize::MAX);
            return Err(too_large(
                "checking one value could need too many schemas",
                max,
                "(`limits.schema_cost`)",
            )
            .at(format!("#{}", graph.pointer(id)))
            .hint("nested `allOf`, `anyOf` or `oneOf` over shared references multiply; flatten them"));
        }
        growth = growth.max(cost.again);
        nested = nested.max(cost.nested);
    }
    let root = costs.first().copied().unwrap_or_default();
    let by_time = (growth > 1).then(|| {
        let once = (root.here.saturating_add(root.below)).max(1) as f64;
        let levels = (MAX_RECURSIVE_WORK / once).ln() / (growth as f64).ln();
        levels.max(4.0) as usize
    });
    let by_stack = MAX_NESTED / usize::try_from(nested).unwrap_or(MAX_NESTED).max(1);
    let by_stack = (by_stack < MAX_VALUE_DEPTH).then_some(by_stack);
    let max_value_depth = by_time.into_iter().chain(by_stack).min();
    Ok(Admission { max_value_depth })
}

/// Fills `here`, and refuses circles that never descend into the value: they have no answer.
fn in_place(graph: &Graph, costs: &mut [Cost]) -> Result<()> {
    let mut marks = vec![Mark::New; graph.nodes.len()];
    for start in 0..graph.nodes.len() {
        let mut stack = vec![(start, 0usize)];
        while let Some((id, next)) = stack.pop() {
            if next == 0 && marks[id] == Mark::Done {
                continue;
            }
            marks[id] = Mark::Open;
            let node = &graph.nodes[id];
            if let Some(&child) = node.in_place.get(next) {
                stack.push((id, next + 1));
                match marks[child] {
                    Mark::Open => return Err(circle(graph, child)),
                    Mark::New => stack.push((child, 0)),
                    Mark::Done => {}
                }
                continue;
            }
            let sum = node.in_place.iter().fold(0u64, |n, &c| n.saturating_add(costs[c].here));
            costs[id].here = times(node.twice, sum).saturating_add(1);
            costs[id].nested = 1 + node.in_place.iter().map(|&c| costs[c].nested).max().unwrap_or(0);
            marks[id] = Mark::Done;
        }
    }
    Ok(())
}

fn circle(graph: &Graph, id: Id) -> Error {
    Error::new(Code::SchemaInvalid, "reference runs in a circle without descending into the value")
        .at(format!("#{}", graph.pointer(id)))
        .hint("let the reference go through `properties` or `items`")
}

/// Fills `below` and `again`. A reference back to a schema still being costed counts once: how
/// often it is followed is for the value to say.
fn below(graph: &Graph, costs: &mut [Cost]) {
    let mut marks = vec![Mark::New; graph.nodes.len()];
    for start in 0..graph.nodes.len() {
        let mut stack = vec![(start, 0usize)];
        while let Some((id, next)) = stack.pop() {
            if next == 0 && marks[id] == Mark::Done {
                continue;
            }
            marks[id] = Mark::Open;
            let node = &graph.nodes[id];
            let target = match node.in_place.get(next) {
                Some(&target) => Some(target),
                None => node.children.get(next - node.in_place.len()).map(|&(_, target)| target),
            };
            if let Some(target) = target {
                stack.push((id, next + 1));
                if marks[target] == Mark::New {
                    stack.push((target, 0));
                }
                continue;
            }
            let (below, again) = sum(graph, id, costs, &marks);
            costs[id].below = below;
            costs[id].again = again;
            marks[id] = Mark::Done;
        }
    }
}

fn sum(graph: &Graph, id: Id, costs: &[Cost], marks: &[Mark]) -> (u64, u64) {
    let node = &graph.nodes[id];
    let (mut below, mut again) = (0u64, 0u64);
    // A schema still open is an ancestor: this is where recursion enters it again.
    let entries = |target: Id| if marks[target] == Mark::Open { 1 } else { costs[target].again };
    for &target in &node.in_place {
        below = below.saturating_add(costs[target].below);
        again = again.saturating_add(entries(target));
    }
    let (mut one, mut any) = ((0u64, 0u64), (0u64, 0u64));
    for &(child, target) in &node.children {
        let cost = costs[target];
        let reentered = entries(target);
        let total = cost.here.saturating_add(cost.below);
        match child {
            Child::One => one = (one.0.max(total), one.1.max(reentered)),
            Child::Any => any = (any.0.saturating_add(total), any.1.saturating_add(reentered)),
        }
    }
    below = below.saturating_add(one.0).saturating_add(any.0);
    again = again.saturating_add(one.1).saturating_add(any.1);
    (times(node.twice, below), times(node.twice, again))
}

fn times(twice: bool, n: u64) -> u64 {
    if twice { n.saturating_mul(2) } else { n }
}
