//! Datasets: the same bytes whatever makes them, and checks that find what is wrong.

use gtm_carg::catalogue::Catalogue;
use gtm_carg::dataset::{self, Config, Recipe, SESSIONS_PER_PART, Shard};
use gtm_carg::session::generate;
use gtm_carg::trace::Trace;
use gtm_carg::verify::{Check, Counters, verify};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

const WHOLE: Shard = Shard { index: 0, of: 1 };

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    // The packs that are named in the guide: others come and go.
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../packs"));
    let files =
        ["commerce/returns.yaml", "chemistry/reaction_engineering.yaml", "robotics/pick_and_place_arm.yaml"];
    Catalogue::load(&files.map(|file| root.join(file))).expect("sound packs")
});

/// What determines a dataset of the test's packs.
fn recipe(seed: u64, sessions: u64) -> Recipe {
    CATALOGUE.recipe(&Config { seed, sessions, ..Config::default() })
}

fn make(folder: &Path, sessions: u64, jobs: usize, shard: Shard) -> dataset::Counts {
    dataset::make(&CATALOGUE, &recipe(5, sessions), folder, jobs, shard, &|_| {}).expect("a dataset")
}

/// Paths and bytes of all files in a folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => open.push(path),
                false => {
                    let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
                    found.insert(name, std::fs::read(&path).expect("a file"));
                }
            }
        }
    }
    found
}

#[test]
fn jobs_shards_and_restarts_give_the_same_bytes() {
    let sessions = SESSIONS_PER_PART * 2 + 20;
    let (one, two, cut) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let counts = make(one.path(), sessions, 1, WHOLE);
    assert_eq!(make(two.path(), sessions, 3, WHOLE), counts);
    let whole = files(one.path());
    assert_eq!(files(two.path()), whole);
    // Shards, one after the other in the same folder; then a part is lost and made again.
    make(cut.path(), sessions, 2, Shard { index: 1, of: 2 });
    make(cut.path(), sessions, 2, Shard { index: 0, of: 2 });
    assert_eq!(files(cut.path()), whole);
    std::fs::remove_file(cut.path().join("part-000001.jsonl.zst")).unwrap();
    std::fs::write(cut.path().join("part-000002.jsonl.zst.tmp"), b"half").unwrap();
    assert_eq!(make(cut.path(), sessions, 2, WHOLE), counts);
    std::fs::remove_file(cut.path().join("part-000002.jsonl.zst.tmp")).unwrap();
    assert_eq!(files(cut.path()), whole);
    assert!(counts.pairs > 4_000 && counts.errors > 0 && counts.tasks > 0, "{counts:?}");
}

#[test]
fn published_schema_is_current() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/carg.schema.json"));
    let schema = format!("{:#}\n", dataset::json_schema());
    if std::env::var_os("GTM_BLESS").is_some() {
        std::fs::write(path, &schema).expect("docs/ can be written");
    }
    let published = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        published == schema,
        "docs/carg.schema.json is stale: GTM_BLESS=1 cargo test -p gtm-carg --test dataset"
    );
}

#[test]
fn another_recipe_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path(), 3, 1, WHOLE);
    let error = dataset::make(&CATALOGUE, &recipe(6, 3), folder.path(), 1, WHOLE, &|_| {}).unwrap_err();
    assert_eq!(error.code().id(), "GTM0802");
}

#[test]
fn generated_sessions_pass_and_no_tool_fails_inside() {
    let mut counters = Counters::default();
    let mut wrong = Vec::new();
    let recipe = recipe(11, 150);
    for number in 0..150 {
        let trace = generate(&CATALOGUE, &recipe, number).expect("a session");
        for violation in verify(&trace, &mut counters) {
            wrong.push(format!("session {number}: {violation:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for check in [
        "format",
        "schema",
        "argument_errors",
        "echo",
        "repeat",
        "read_your_writes",
        "lists",
        "new_ids",
        "bounds",
    ] {
        assert!(
            counters.0.get(check).is_some_and(|(made, _)| *made > 0),
            "{check} is never made: {counters:?}"
        );
    }
}

/// Sessions in which `spoil` finds something to spoil, and what the checks say of them.
fn spoilt(check: Check, spoil: impl Fn(&mut Trace) -> bool) {
    let mut tried = 0;
    let recipe = recipe(13, 400);
    for number in 0..400 {
        let mut trace = generate(&CATALOGUE, &recipe, number).expect("a session");
        if spoil(&mut trace) {
            tried += 1;
            let found = verify(&trace, &mut Counters::default());
            if found.iter().any(|violation| violation.check == check) {
                return;
            }
        }
        if tried > 60 {
            break;
        }
    }
    panic!("{check:?} was not found in {tried} spoilt sessions");
}

#[test]
fn checks_find_what_is_wrong() {
    spoilt(Check::ArgumentErrors, |trace| {
        let turn = trace.turns.iter_mut().find(|turn| turn.mutation.as_deref() == Some("missing"));
        turn.map(|turn| (turn.is_error, turn.error) = (false, None)).is_some()
    });
    spoilt(Check::NoChange, |trace| {
        trace.turns.iter_mut().find(|t| t.is_error).map(|t| t.changed = true).is_some()
    });
    spoilt(Check::Schema, |trace| {
        let declared: Vec<String> =
            trace.tools.iter().filter(|t| t.returns.is_some()).map(|t| t.name.clone()).collect();
        let turn = trace
            .turns
            .iter_mut()
            .find(|t| !t.is_error && declared.contains(&t.call.name) && t.response.is_object());
        turn.map(|turn| turn.response = json!([1])).is_some()
    });
    spoilt(Check::Repeat, |trace| {
        let calls: Vec<_> = trace.turns.iter().map(|t| t.call.clone()).collect();
        let again = (1..calls.len())
            .find(|&at| calls[at] == calls[at - 1] && !trace.turns[at].changed && !trace.turns[at].is_error);
        again.map(|at| trace.turns[at].response = json!({"else": at})).is_some()
    });
    spoilt(Check::Bounds, |trace| {
        trace.turns[0].response = json!("x".repeat(100_000));
        true
    });
    spoilt(Check::Task, |trace| trace.task.as_mut().map(|task| task.reference.clear()).is_some());
    spoilt(Check::NoLeak, |trace| {
        let Some(instruction) = trace.task.as_ref().map(|task| task.instruction.clone()) else {
            return false;
        };
        // Letters that JSON does not escape, so that the words are there as they are.
        trace.turns[0].response = json!(instruction);
        !instruction.contains(['"', '\\'])
    });
    spoilt(Check::Format, |trace| {
        trace.facts.pop();
        true
    });
    spoilt(Check::Absence, |trace| {
        // A read of something, put after its removal.
        let get = trace.facts.iter().position(|f| f.plan.starts_with("get ") && f.collection.is_some());
        let delete = trace.facts.iter().position(|f| f.plan.starts_with("delete ") && f.collection.is_some());
        let (Some(get), Some(delete)) = (get, delete) else { return false };
        if trace.facts[get].collection != trace.facts[delete].collection {
            return false;
        }
        let name = |at: usize| trace.tools[at].name.clone();
        let Some(removed) = trace.turns.iter().find(|t| t.call.name == name(delete) && !t.is_error).cloned()
        else {
            return false;
        };
        let id = trace.facts[delete]
            .id_argument
            .iter()
            .try_fold(&removed.call.arguments, |j, n| j.get(n))
            .cloned();
        let Some([argument]) = trace.facts[get].id_argument.get(..1).map(|a| [a[0].clone()]) else {
            return false;
        };
        let mut turn = removed;
        turn.call.name = name(get);
        turn.call.arguments = json!({argument: id});
        turn.changed = false;
        trace.turns.push(turn);
        trace.turns.len() <= 60
    });
}
