//! The card of a dataset: its README, with what the Hugging Face hub and `datasets` read at its head.

use super::config::{Format, Recipe};
use super::counts::Counts;
use super::split::Split;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Rows of the longest table.
const MOST_ROWS: usize = 40;

/// The card, in Markdown.
pub(super) fn card(recipe: &Recipe, counts: &Counts) -> String {
    let mut text = head(recipe, counts);
    // Writing to a text cannot fail.
    let _ = body(&mut text, recipe, counts);
    text
}

/// Which files are which split, so that `load_dataset(FOLDER)` finds the samples.
fn head(recipe: &Recipe, counts: &Counts) -> String {
    let extension = match recipe.formats.contains(&Format::Parquet) {
        true => Format::Parquet.extension(),
        false => Format::Jsonl.extension(),
    };
    let mut text = String::from("---\nlanguage: [en]\ntags: [tool-use, synthetic]\n");
    if !counts.samples.is_empty() && !recipe.formats.is_empty() {
        text.push_str("configs:\n- config_name: samples\n  default: true\n  data_files:\n");
        for split in Split::ALL.map(Split::name) {
            let prefix = format!("{split}/");
            if counts.samples.keys().any(|name| name.starts_with(&prefix)) {
                text.push_str(&format!("  - split: {split}\n    path: samples/{split}-*.{extension}\n"));
            }
        }
    }
    text.push_str("---\n\n");
    text
}

fn body(text: &mut String, recipe: &Recipe, counts: &Counts) -> std::fmt::Result {
    let share = |part: u64, of: u64| 100.0 * part as f64 / of.max(1) as f64;
    let dropped: u64 = counts.dropped.values().sum();
    writeln!(text, "# Executed sessions of simulated tools\n")?;
    writeln!(
        text,
        "{} sessions with {} call and reply pairs, {:.1} % of them failures, and {} samples made of them. Every reply and every \
         change of state was computed by an engine and checked; nothing was written by a language model. Made by GTM \
         {} (`gtm carg run`).\n",
        counts.sessions,
        counts.pairs,
        share(counts.errors, counts.pairs),
        counts.samples.values().sum::<u64>(),
        recipe.version
    )?;
    writeln!(text, "| what determines it | |\n|---|---|")?;
    for (name, value) in [
        ("version", recipe.version.clone()),
        ("seed", recipe.seed.to_string()),
        ("sessions asked for", recipe.sessions.to_string()),
        ("domains", recipe.domains.len().to_string()),
        ("digest of the packs", recipe.packs.clone()),
        ("providers of real specs", recipe.providers.to_string()),
        ("digest of the specs", recipe.specs.clone()),
        ("share of sessions with real specs", recipe.spec_share.to_string()),
        ("held out for validation, test", format!("{}, {}", recipe.splits.validation, recipe.splits.test)),
    ] {
        writeln!(text, "| {name} | {value} |")?;
    }
    writeln!(text, "\n## Files\n")?;
    writeln!(
        text,
        "`part-*.jsonl.zst` are sessions, `samples/SPLIT-*` prompts and completions (`id`, `task`, `split`, `domain`, `prompt`, \
         `completion`), `part-*.json` counts. Splits are by domain and provider: what is in `test` and \
         `validation` is in no other split.\n"
    )?;
    table(text, "Samples", "split and task", &counts.samples, MOST_ROWS)?;
    table(text, "Sessions by split", "split", &counts.splits, MOST_ROWS)?;
    table(text, "Sessions by source of the tools", "source", &counts.sources, MOST_ROWS)?;
    names(text, counts)?;
    table(text, "Pairs by kind of tool", "kind", &counts.families, MOST_ROWS)?;
    table(text, "Failures by kind", "kind", &counts.error_kinds, MOST_ROWS)?;
    table(text, "Calls spoilt on purpose", "way", &counts.mutations, MOST_ROWS)?;
    table(text, "Sessions by number of calls", "calls", &counts.turns, MOST_ROWS)?;
    table(text, "Sessions by number of tools", "tools", &counts.tools, MOST_ROWS)?;
    table(text, "Sessions by domain or provider", "domain", &counts.domains, MOST_ROWS)?;
    writeln!(text, "## Checks\n")?;
    writeln!(text, "{dropped} sessions failed a check and were dropped.\n")?;
    writeln!(text, "| check | made | failed |\n|---|---|---|")?;
    for (check, (made, failed)) in &counts.checks.0 {
        writeln!(text, "| {check} | {made} | {failed} |")?;
    }
    writeln!(text)?;
    table(text, "Dropped sessions by reason", "reason", &counts.dropped, MOST_ROWS)
}

fn names(text: &mut String, counts: &Counts) -> std::fmt::Result {
    writeln!(text, "## Names\n")?;
    writeln!(
        text,
        "| names | tools looked at | distinct | most usual, with the share of tools that have it |\n|---|---|---|---|"
    )?;
    for (what, census) in [
        ("tools of packs", &counts.tool_names),
        ("arguments and members, packs", &counts.field_names),
        ("tools of real specs", &counts.real_tool_names),
        ("arguments and members, real specs", &counts.real_field_names),
    ] {
        if census.tools > 0 {
            let usual: Vec<String> = census
                .most_usual(3)
                .into_iter()
                .map(|(name, share)| {
                    format!("`{}` {:.2} %", name.replace(['|', '`', '\n'], " "), 100.0 * share)
                })
                .collect();
            writeln!(text, "| {what} | {} | {} | {} |", census.tools, census.distinct(), usual.join(", "))?;
        }
    }
    writeln!(text, "\nDistinct names are estimated (HyperLogLog, standard error 1.6 %).\n")
}

fn table(
    text: &mut String,
    title: &str,
    of: &str,
    rows: &BTreeMap<String, u64>,
    most: usize,
) -> std::fmt::Result {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(text, "## {title}\n\n| {of} | number |\n|---|---|")?;
    // All rows in order of name; of many, the most frequent.
    let mut shown: Vec<(&String, &u64)> = rows.iter().collect();
    if shown.len() > most {
        shown.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
        let rest: u64 = shown[most..].iter().map(|(_, count)| **count).sum();
        shown.truncate(most);
        for (name, count) in shown {
            writeln!(text, "| {} | {count} |", name.replace(['|', '\n'], " "))?;
        }
        return writeln!(text, "| {} others | {rest} |\n", rows.len() - most);
    }
    for (name, count) in shown {
        writeln!(text, "| {} | {count} |", name.replace(['|', '\n'], " "))?;
    }
    writeln!(text)
}
