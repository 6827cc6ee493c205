//! Running suites: sessions in parallel, results in the order of the files.

use crate::baseline::Baseline;
use crate::evaluation::{Done, Evaluation, MAX_EXAMPLES, Suite};
use crate::free::Aliases;
use crate::known::Known;
use crate::metric::state;
use crate::miss::Example;
use crate::predictor::{Prediction, Predictor, Simulated};
use crate::score::{Truth, shown};
use crate::session::{Session, ToolCache, Turn};
use crate::source::{Lines, SessionFile};
use crate::tally::Tally;
use gtm_error::{Code, Error, Result};
use gtm_sim::{Call, Simulator};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Instant;

/// Longest reply that is kept as an example, as JSON in bytes; of a longer one the kind is told.
const MAX_EXAMPLE: usize = 12_000;

/// Makes the simulator for a session, from what is known of it before its first turn. `None`
/// leaves the session out. It must give the same simulator each time it is asked.
pub type Prepare<'a> = dyn Fn(&Session) -> Result<Option<Simulator>> + Sync + 'a;

/// How to evaluate.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Most sessions of each file.
    pub limit: Option<usize>,
    /// Go on from our own replies, rather than from the real ones.
    pub free: bool,
    /// Evaluate this baseline in place of the simulator.
    pub baseline: Option<Baseline>,
    /// Threads; as many as there are cores if 0.
    pub jobs: usize,
}

/// Where an evaluation is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// Sessions done.
    pub sessions: u64,
    /// Turns done.
    pub turns: u64,
    /// Bytes read of the files, as they are on disk.
    pub bytes: u64,
}

/// Evaluates all sessions of the files.
///
/// Predictions are written to `dump`, if given, as lines of
/// `{"session_id", "turn", "content", "is_error"}`, turns counted from 0. `progress` is told after each session.
///
/// # Errors
/// The first in the order of the lines: what reading a line fails with, with file and line;
/// what `prepare` fails with, likewise; [`Code::StorageFailed`] if the dump cannot be written.
pub fn evaluate(
    files: &[SessionFile],
    prepare: &Prepare<'_>,
    options: &Options,
    mut dump: Option<&mut dyn Write>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Evaluation> {
    let jobs = match options.jobs {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        jobs => jobs,
    };
    let bytes = Arc::new(AtomicU64::new(0));
    let source =
        Mutex::new(Source { files, options, bytes: bytes.clone(), open: None, next_file: 0, next: 0 });
    let cache = ToolCache::default();
    // Bounded, so that what is done waits for what is slow, and not in memory.
    let (sender, receiver) = mpsc::sync_channel(4 * jobs);
    let mut evaluation = Evaluation::default();
    let mut now = Progress::default();
    std::thread::scope(|scope| {
        // Taken into the scope, so that it is gone, and the threads stop, on an error.
        let receiver = receiver;
        for _ in 0..jobs {
            let (sender, source, cache) = (sender.clone(), &source, &cache);
            scope.spawn(move || {
                while let Some(line) = Source::next(source) {
                    let done = line.text.and_then(|text| {
                        let mut session = Session::parse(&text, cache)?;
                        if session.suite.as_ref().is_none_or(String::is_empty) {
                            session.suite = Some(line.file.suite.clone());
                        }
                        run(&session, prepare, options)
                    });
                    let done = done.map_err(|error| {
                        error.at(format!("line {}", line.number)).in_file(line.file.path.display())
                    });
                    if sender.send((line.at, done)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut early = BTreeMap::new();
        let mut wanted = 0;
        for (at, done) in receiver {
            early.insert(at, done);
            while let Some(done) = early.remove(&wanted) {
                wanted += 1;
                let Some(done) = done? else { continue };
                if let Some(dump) = &mut dump {
                    dump.write_all(done.dump.as_bytes()).map_err(|e| {
                        Error::new(Code::StorageFailed, format!("cannot write the dump: {e}"))
                    })?;
                }
                now.sessions += 1;
                now.turns += done.suite.ours.turns;
                now.bytes = bytes.load(std::sync::atomic::Ordering::Relaxed);
                evaluation.add(done);
                progress(now);
            }
        }
        Ok(evaluation)
    })
}

/// Lines of all files in order, handed to whichever thread asks.
struct Source<'a> {
    files: &'a [SessionFile],
    options: &'a Options,
    bytes: Arc<AtomicU64>,
    open: Option<(&'a SessionFile, Lines, usize)>,
    next_file: usize,
    next: u64,
}

struct Line<'a> {
    /// Place in the order of all lines.
    at: u64,
    file: &'a SessionFile,
    number: usize,
    text: Result<String>,
}

impl<'a> Source<'a> {
    fn next(source: &Mutex<Source<'a>>) -> Option<Line<'a>> {
        let mut source = source.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = source.options.limit.unwrap_or(usize::MAX);
        loop {
            if let Some((file, lines, taken)) = &mut source.open {
                let file = *file;
                let line = if *taken < limit { lines.next() } else { None };
                *taken += 1;
                if let Some((number, text)) = line {
                    return Some(source.line(file, number, text));
                }
                source.open = None;
            }
            let file = source.files.get(source.next_file)?;
            source.next_file += 1;
            match Lines::open(&file.path, source.bytes.clone()) {
                Ok(lines) => source.open = Some((file, lines, 0)),
                Err(error) => return Some(source.line(file, 0, Err(error))),
            }
        }
    }

    fn line(&mut self, file: &'a SessionFile, number: usize, text: Result<String>) -> Line<'a> {
        self.next += 1;
        Line { at: self.next - 1, file, number, text }
    }
}

/// Somebody who predicts, and the names that stand for each other in a free run.
struct Contender {
    predictor: Box<dyn Predictor>,
    aliases: Aliases,
}

impl Contender {
    fn new(predictor: Box<dyn Predictor>) -> Contender {
        Contender { predictor, aliases: Aliases::default() }
    }

    /// The prediction, and the milliseconds it took.
    fn answer(&mut self, turn: &Turn, known: &Known, free: bool) -> (Prediction, f32) {
        if !free {
            let call = Call::new(&turn.tool, turn.arguments.clone());
            let start = Instant::now();
            let prediction = self.predictor.predict(&call);
            return (prediction, start.elapsed().as_secs_f32() * 1e3);
        }
        let call = Call::new(&turn.tool, self.aliases.to_ours(&turn.arguments));
        let start = Instant::now();
        let own = self.predictor.act(&call);
        let time = start.elapsed().as_secs_f32() * 1e3;
        let prediction = Prediction { content: self.aliases.to_real(&own.content), ..own };
        if !turn.is_error && !prediction.is_error {
            self.aliases.note(&turn.response, &prediction.content, known);
        }
        (prediction, time)
    }
}

fn run(session: &Session, prepare: &Prepare<'_>, options: &Options) -> Result<Option<Done>> {
    let ours = || -> Result<Option<Contender>> {
        Ok(match options.baseline {
            Some(baseline) => Some(Contender::new(baseline.predictor(session))),
            None => match prepare(session)? {
                Some(simulator) => Some(Contender::new(Box::new(Simulated::new(simulator)?))),
                None => None,
            },
        })
    };
    let (Some(mut first), Some(mut second)) = (ours()?, ours()?) else { return Ok(None) };
    let mut baselines = Baseline::ALL.map(|baseline| Contender::new(baseline.predictor(session)));
    let mut suite = Suite {
        name: session.suite.clone().unwrap_or_default(),
        sessions: 1,
        ours: Tally::default(),
        baselines: Default::default(),
        tools: BTreeMap::new(),
        misses: BTreeMap::new(),
    };
    let mut dump = String::new();
    let mut known = Known::default();
    if let Some(state) = &session.initial_state {
        known.add(state);
    }
    let checks = state::checks(session);
    for (at, (turn, checks_state)) in session.turns.iter().zip(checks).enumerate() {
        known.add(&turn.arguments);
        let truth = Truth { turn, tools: &session.tools, known: &known, checks_state };
        let mutation = turn.mutation.as_deref();
        let (ours, time) = first.answer(turn, &known, options.free);
        let score = truth.score(&ours);
        suite.ours.add(at, mutation, &score, time);
        suite.tools.entry(turn.tool.clone()).or_default().add(at, mutation, &score, time);
        if let Some(miss) = score.miss {
            let (count, examples) = suite.misses.entry((turn.tool.clone(), miss)).or_default();
            *count += 1;
            if examples.len() < MAX_EXAMPLES {
                examples.push(example(session, at, turn, &ours));
            }
        }
        let line = dumped(session, at, turn, &ours);
        let (again, _) = second.answer(turn, &known, options.free);
        suite.ours.add_second_run(dumped(session, at, turn, &again) == line);
        dump.push_str(&line);
        for (baseline, tally) in baselines.iter_mut().zip(&mut suite.baselines) {
            let (prediction, time) = baseline.answer(turn, &known, options.free);
            tally.add(at, mutation, &truth.score(&prediction), time);
        }
        if !options.free {
            let call = Call::new(&turn.tool, turn.arguments.clone());
            let all = [&mut first, &mut second].into_iter().chain(&mut baselines);
            all.for_each(|contender| contender.predictor.observe(&call, turn));
        }
        known.add(&turn.response);
    }
    Ok(Some(Done { suite, dump }))
}

/// A prediction as a line of the dump.
fn dumped(session: &Session, at: usize, turn: &Turn, ours: &Prediction) -> String {
    let content = shown(&ours.content, ours.status, turn.status.is_some());
    format!(
        "{}\n",
        json!({"session_id": session.id, "turn": at, "content": content, "is_error": ours.is_error})
    )
}

fn example(session: &Session, at: usize, turn: &Turn, ours: &Prediction) -> Example {
    let http = turn.status.is_some();
    Example {
        session: session.id.clone(),
        turn: at,
        tool: turn.tool.clone(),
        mutation: turn.mutation.clone(),
        arguments: clipped(&turn.arguments),
        real: clipped(&shown(&turn.response, turn.status, http)),
        real_error: turn.is_error,
        ours: clipped(&shown(&ours.content, ours.status, http)),
        our_error: ours.is_error,
    }
}

/// The value, or what it is if it is too long to be looked at.
fn clipped(value: &Json) -> Json {
    let length = value.to_string().len();
    if length <= MAX_EXAMPLE {
        return value.clone();
    }
    json!(format!("({} of {length} bytes)", gtm_tool::schema::type_of(value)))
}
