//! Statistics over lists of numbers.

use super::{Args, Section, rows};
use crate::Value;
use crate::cel::Eval;
use crate::cel::ast::BinaryOp;
use crate::cel::ops::{self, finite};

pub(super) const SECTION: Section = Section {
    title: "Statistics",
    intro: "Over the items of a list or the values of an object. Nulls are left out; the result for no numbers is null, and 0 for `sum`.",
    null_passes: false,
    rows: rows! {
        "sum(list) -> number", "Sum; of integers an integer.", "[1, 2, 3.5].sum()" => "6.5", |args| fold(args, BinaryOp::Add, 0);
        "product(list) -> number", "Product; 1 for no numbers.", "product([2, 3, 4])" => "24", |args| fold(args, BinaryOp::Mul, 1);
        "mean(list) -> number" ["avg", "average"], "Arithmetic mean; an integer where it is whole and all numbers are integers.", "mean([1, 2, 4, 5])" => "3", mean;
        "median(list) -> number", "Middle number, or the mean of the middle two.", "median([5, 1, 4, 2])" => "3", |args| percentile_of(args, 50.0);
        "mode(list) -> any", "The most frequent item, the first of several.", "mode([2, 3, 3, 1])" => "3", mode;
        "variance(list) -> number", "Sample variance (divided by n − 1); null for fewer than two numbers.", "variance([2, 4, 4, 4, 5, 5, 7, 9])" => "4.571428571428571", |args| spread(args, 1, false);
        "populationVariance(list) -> number" ["pvariance"], "Variance of a whole population (divided by n).", "populationVariance([2, 4, 4, 4, 5, 5, 7, 9])" => "4.0", |args| spread(args, 0, false);
        "stdev(list) -> number" ["stddev"], "Sample standard deviation (n − 1); null for fewer than two numbers.", "round(stdev([2, 4, 4, 4, 5, 5, 7, 9]), 4)" => "2.1381", |args| spread(args, 1, true);
        "populationStdev(list) -> number" ["pstdev"], "Standard deviation of a whole population (n).", "populationStdev([2, 4, 4, 4, 5, 5, 7, 9])" => "2.0", |args| spread(args, 0, true);
        "percentile(list, percent) -> number", "The number below which so many percent lie, interpolated between neighbours (as spreadsheets and NumPy do).", "percentile([1, 2, 3, 4], 25)" => "1.75", |args| {
            let percent = args.number(1)?;
            percentile_of(args, percent)
        };
        "correlation(a, b) -> number", "Pearson's correlation of two lists of the same length; null where a list does not vary.", "correlation([1, 2, 3], [2, 4, 6])" => "1.0", correlation;
    },
};

fn fold(args: &mut Args<'_>, op: BinaryOp, start: i64) -> Eval<Value> {
    let mut total = Value::Int(start);
    for item in args.items(0)?.into_iter().filter(|item| !item.is_null()) {
        if item.as_f64().is_none() {
            return Err(args.fail(format!("{} among the numbers", ops::kind(item))));
        }
        total = ops::arithmetic(op, &total, item, args.budget)?;
    }
    Ok(total)
}

fn mean(args: &mut Args<'_>) -> Eval<Value> {
    let count = args.items(0)?.into_iter().filter(|item| !item.is_null()).count();
    if count == 0 {
        return Ok(Value::Null);
    }
    let sum = fold(args, BinaryOp::Add, 0)?;
    let count = Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
    ops::arithmetic(BinaryOp::Div, &sum, &count, args.budget)
}

fn percentile_of(args: &mut Args<'_>, percent: f64) -> Eval<Value> {
    let items = args.items(0)?;
    let mut numbers: Vec<&Value> = items.into_iter().filter(|item| !item.is_null()).collect();
    if let Some(other) = numbers.iter().find(|item| item.as_f64().is_none()) {
        return Err(args.fail(format!("{} among the numbers", ops::kind(other))));
    }
    if !(0.0..=100.0).contains(&percent) {
        return Err(args.fail("percent must be from 0 to 100"));
    }
    let Some(last) = numbers.len().checked_sub(1) else { return Ok(Value::Null) };
    args.budget.spend(ops::sorting_cost(numbers.iter().copied()))?;
    numbers.sort_by(|a, b| ops::order(a, b));
    let place = percent / 100.0 * last as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    let (low, high) = (numbers[below.min(last)], numbers[above.min(last)]);
    if below == above || low == high {
        return Ok(low.clone());
    }
    let share = place - place.floor();
    if share == 0.5 {
        // The mean of two integers stays an integer where it can.
        let sum = ops::arithmetic(BinaryOp::Add, low, high, args.budget)?;
        return ops::arithmetic(BinaryOp::Div, &sum, &Value::Int(2), args.budget);
    }
    let (low, high) = (low.as_f64().unwrap_or(0.0), high.as_f64().unwrap_or(0.0));
    finite(low + (high - low) * share)
}

fn mode(args: &mut Args<'_>) -> Eval<Value> {
    let mut items: Vec<(usize, &Value)> = args.items(0)?.into_iter().enumerate().collect();
    items.retain(|(_, item)| !item.is_null());
    args.budget.spend(ops::sorting_cost(items.iter().map(|(_, item)| *item)))?;
    items.sort_by(|a, b| ops::order(a.1, b.1));
    let same = |a: &(usize, &Value), b: &(usize, &Value)| ops::order(a.1, b.1).is_eq();
    let best = items.chunk_by(same).max_by_key(|run| (run.len(), std::cmp::Reverse(run[0].0)));
    Ok(best.map_or(Value::Null, |run| run[0].1.clone()))
}

fn spread(args: &mut Args<'_>, lost: usize, root: bool) -> Eval<Value> {
    let numbers = args.numbers(0)?;
    if numbers.len() <= lost {
        return Ok(Value::Null);
    }
    let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
    let squares: f64 = numbers.iter().map(|x| (x - mean) * (x - mean)).sum();
    let variance = squares / (numbers.len() - lost) as f64;
    finite(if root { variance.sqrt() } else { variance })
}

fn correlation(args: &mut Args<'_>) -> Eval<Value> {
    let (a, b) = (args.numbers(0)?, args.numbers(1)?);
    if a.len() != b.len() {
        return Err(args.fail("the lists differ in length"));
    }
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len().max(1) as f64;
    let (mean_a, mean_b) = (mean(&a), mean(&b));
    let (mut together, mut of_a, mut of_b) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(&b) {
        together += (x - mean_a) * (y - mean_b);
        of_a += (x - mean_a).powi(2);
        of_b += (y - mean_b).powi(2);
    }
    let scale = (of_a * of_b).sqrt();
    if scale > 0.0 { finite(together / scale) } else { Ok(Value::Null) }
}
