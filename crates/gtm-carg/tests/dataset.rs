//! Datasets: the same bytes whatever makes them, and checks that find what is wrong.

use gtm_carg::catalogue::Catalogue;
use gtm_carg::dataset::{self, Config, Recipe, SESSIONS_PER_PART, Shard};
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
