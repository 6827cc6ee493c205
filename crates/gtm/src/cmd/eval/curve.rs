//! `gtm eval --learn`: fidelity after learning from more and more recorded sessions, on sessions of other
//! groups.

use gtm_error::{Code, Error, Result};
use gtm_eval::report::CurvePoint;
use gtm_eval::{Options, Progress, Session, SessionFile, evaluate, session_files};
use gtm_sim::Simulator;
use gtm_sim::recording::{Recording, read_recordings};
use gtm_world::{Behaviors, seed};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

/// How sessions that are learned from and sessions that are evaluated are kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Split {
    /// Of the groups that are on both sides each side gets half
    Group,
    /// Learn from everything and evaluate everything, even if it is the same
    None,
}

/// By suite, what is learned from and what is evaluated.
pub(super) struct Sides {
    /// Recordings in the order in which they are taken.
    train: BTreeMap<String, Vec<Recording>>,
    /// Names of sessions.
    test: HashMap<String, HashSet<String>>,
}

impl Sides {
    /// Reads the recordings, and chooses the sessions to be evaluated, at most `limit` of each suite.
    pub(super) fn read(
        train: &[PathBuf],
        test: &[SessionFile],
        split: Split,
        limit: Option<usize>,
    ) -> Result<Sides> {
        let mut train = by_suite(&session_files(train)?)?;
        let mut tested = HashMap::new();
        for (name, mut sessions) in by_suite(test)? {
            let Some(recordings) = train.get_mut(&name) else { continue };
            if split == Split::Group {
                keep_apart(recordings, &mut sessions);
            }
            let ids =
                sessions.into_iter().take(limit.unwrap_or(usize::MAX)).map(|session| session.session_id);
            tested.insert(name, ids.collect::<HashSet<String>>());
        }
        if tested.values().all(HashSet::is_empty) {
            return Err(Error::new(Code::Usage, "nothing is left to evaluate")
                .expected("sessions of a suite that is learned from, of groups that are not")
                .hint("name other files, or say `--split none`"));
        }
        train.retain(|name, _| tested.contains_key(name));
        Ok(Sides { train, test: tested })
    }

    fn is_tested(&self, session: &Session) -> bool {
        let suite = session.suite.as_ref().and_then(|name| self.test.get(name));
        suite.is_some_and(|ids| ids.contains(&session.id))
    }

    /// What is learned of each suite from its first sessions.
    fn learn(&self, sessions: usize) -> HashMap<&str, Behaviors> {
        let learn = |recordings: &[Recording]| gtm_learn::learn(recordings, &Arc::default()).behaviors;
        let first = |all: &'_ Vec<Recording>| learn(&all[..sessions.min(all.len())]);
        self.train.iter().map(|(name, recordings)| (name.as_str(), first(recordings))).collect()
    }
}

/// The recordings of the files by suite, in an order that has nothing to do with where they stand.
fn by_suite(files: &[SessionFile]) -> Result<BTreeMap<String, Vec<Recording>>> {
    let mut suites: BTreeMap<String, Vec<Recording>> = BTreeMap::new();
    for file in files {
        for recording in read_recordings(&file.path)? {
            let name = if recording.suite.is_empty() { &file.suite } else { &recording.suite };
            suites.entry(name.clone()).or_default().push(recording);
        }
    }
    for recordings in suites.values_mut() {
        recordings.sort_by_cached_key(|r| (seed::derive(0, &[&r.session_id]), r.session_id.clone()));
    }
    Ok(suites)
}

/// Deals out the groups that both have: half are learned from, half evaluated.
fn keep_apart(train: &mut Vec<Recording>, test: &mut Vec<Recording>) {
    let groups: HashSet<&str> = train.iter().map(group).collect();
    let mut shared: Vec<String> =
        test.iter().map(group).filter(|name| groups.contains(name)).map(str::to_owned).collect();
    shared.sort_by_cached_key(|name| (seed::derive(1, &[name]), name.clone()));
    shared.dedup();
    let to_test: HashSet<String> = shared.split_off(shared.len().div_ceil(2)).into_iter().collect();
    let to_train: HashSet<String> = shared.into_iter().collect();
    train.retain(|recording| !to_test.contains(group(recording)));
    test.retain(|recording| !to_train.contains(group(recording)));
}

/// Sessions that name no group are one each.
fn group(recording: &Recording) -> &str {
    if recording.group.is_empty() { &recording.session_id } else { &recording.group }
}

/// Makes the simulator of a session, with behaviors that were learned.
pub(super) type Make<'a> = dyn Fn(&Session, Behaviors) -> Result<Simulator> + Sync + 'a;

/// Fidelity on the same sessions after learning from so many of the others; `dump` gets the last point's
/// predictions.
pub(super) fn curve(
    sides: &Sides,
    files: &[SessionFile],
    points: &[usize],
    make: &Make<'_>,
    options: &Options,
    mut dump: Option<&mut dyn Write>,
    progress: &mut dyn FnMut(usize, Progress),
) -> Result<Vec<CurvePoint>> {
    // What is evaluated was chosen already.
    let options = Options { limit: None, ..options.clone() };
    let mut out = Vec::with_capacity(points.len());
    for (at, sessions) in points.iter().enumerate() {
        let learned = sides.learn(*sessions);
        let prepare = |session: &Session| -> Result<Option<Simulator>> {
            if !sides.is_tested(session) {
                return Ok(None);
            }
            let suite = session.suite.as_deref().unwrap_or_default();
            make(session, learned.get(suite).cloned().unwrap_or_default()).map(Some)
        };
        let last = at + 1 == points.len();
        let dump: Option<&mut dyn Write> = match &mut dump {
            Some(dump) if last => Some(&mut **dump),
            _ => None,
        };
        let evaluation = evaluate(files, &prepare, &options, dump, &mut |now| progress(at, now))?;
        out.push(CurvePoint { sessions: *sessions, evaluation });
    }
    Ok(out)
}
