//! Datasets: JSON Lines of prompts and completions, and the order in which they are learned.

use crate::batch::Sample;
use gtm_error::{Code, Error, Result};
use gtm_model::kernel::Team;
use gtm_model::{Rng, Tokenizer};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Longest line taken, in bytes.
const MAX_LINE: u64 = 16 << 20;
/// Lines tokenized at once.
const LINES: usize = 4_096;

/// A line of a dataset. Other members are left alone.
#[derive(Debug, Deserialize)]
pub struct Line {
    /// What is given.
    pub prompt: String,
    /// What is to be written.
    pub completion: String,
    /// The kind of task, for metrics.
    #[serde(default)]
    pub task: Option<String>,
}

/// The lines of a file, plain or `.zst`, one by one.
///
/// # Errors
/// [`Code::FileUnreadable`]; for a line, [`Code::DatasetInvalid`].
pub fn lines(path: &Path) -> Result<impl Iterator<Item = Result<Line>> + Send + use<>> {
    let unreadable =
        |e: std::io::Error| Error::new(Code::FileUnreadable, e.to_string()).in_file(path.display());
    let file = File::open(path).map_err(unreadable)?;
    let zstd = path.extension().is_some_and(|e| e == "zst");
    let mut reader: Box<dyn BufRead + Send> = match zstd {
        true => Box::new(BufReader::with_capacity(1 << 20, zstd::Decoder::new(file).map_err(unreadable)?)),
        false => Box::new(BufReader::with_capacity(1 << 20, file)),
    };
    let path = path.to_owned();
    let mut number = 0;
    let mut failed = false;
    Ok(std::iter::from_fn(move || {
        loop {
            if failed {
                return None;
            }
            number += 1;
            let invalid = |message: String| {
                Error::new(Code::DatasetInvalid, message).in_file(format!("{}:{number}", path.display()))
            };
            let mut line = Vec::new();
            match reader.by_ref().take(MAX_LINE + 1).read_until(b'\n', &mut line) {
                Ok(0) => return None,
                Ok(_) if line.len() as u64 > MAX_LINE => {
                    failed = true;
                    return Some(Err(invalid(format!("a line over {MAX_LINE} bytes"))));
                }
                Ok(_) if line.trim_ascii().is_empty() => {}
                Ok(_) => return Some(serde_json::from_slice(&line).map_err(|e| invalid(e.to_string()))),
                Err(e) => {
                    failed = true;
                    return Some(Err(invalid(e.to_string())));
                }
            }
        }
    }))
}

/// How lines become samples.
pub(crate) struct Reading<'a> {
    /// Text to tokens.
    pub(crate) tokenizer: &'a Tokenizer,
    /// The token that ends a completion.
    pub(crate) end: u32,
    /// Longest sample; longer ones are left out.
    pub(crate) longest: usize,
    /// Whether prompts are learned as well.
    pub(crate) learn_prompts: bool,
    /// Threads.
    pub(crate) team: &'a Team,
}

/// Names of tasks, in order of appearance.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tasks(Vec<String>);

impl Tasks {
    fn index(&mut self, name: &str) -> usize {
        self.0.iter().position(|n| n == name).unwrap_or_else(|| {
            self.0.push(name.to_owned());
            self.0.len() - 1
        })
    }

    /// The name of a task.
    pub(crate) fn name(&self, index: usize) -> &str {
        self.0.get(index).map_or("", String::as_str)
    }
}

/// Samples of one file.
#[derive(Debug, Default)]
pub(crate) struct Corpus {
    /// In the order of the file.
    pub(crate) samples: Vec<Sample>,
    /// Tokens in them.
    pub(crate) tokens: usize,
    /// Lines left out because they are too long.
    pub(crate) too_long: usize,
}

impl Reading<'_> {
    /// Reads a file until it has so many samples or tokens. `seen` is told how many samples there are.
    ///
    /// # Errors
    /// As [`lines`]; [`Code::DatasetInvalid`] if nothing usable is in it.
    pub(crate) fn read(
        &self,
        path: &Path,
        samples: usize,
        tokens: usize,
        tasks: &mut Tasks,
        mut seen: impl FnMut(usize),
    ) -> Result<Corpus> {
        let mut corpus = Corpus::default();
        let mut lines = lines(path)?;
        while corpus.samples.len() < samples && corpus.tokens < tokens {
            let some =
                lines.by_ref().take(LINES.min(samples - corpus.samples.len())).collect::<Result<Vec<_>>>()?;
            if some.is_empty() {
                break;
            }
            let mut read: Vec<(Line, Result<Option<Sample>>)> =
                some.into_iter().map(|line| (line, Ok(None))).collect();
            self.team.for_each_mut(&mut read, |_, (line, sample)| *sample = self.sample(line));
            for (line, sample) in read {
                match sample? {
                    None => corpus.too_long += 1,
                    Some(mut sample) if corpus.tokens < tokens => {
                        sample.task = tasks.index(line.task.as_deref().unwrap_or("all"));
                        corpus.tokens += sample.tokens.len();
                        corpus.samples.push(sample);
                    }
                    Some(_) => {}
                }
            }
            seen(corpus.samples.len());
        }
        if corpus.samples.is_empty() {
            let message = format!(
                "nothing to learn: {} samples are longer than {} tokens",
                corpus.too_long, self.longest
            );
            return Err(Error::new(Code::DatasetInvalid, message).in_file(path.display()));
        }
        Ok(corpus)
    }

    fn sample(&self, line: &Line) -> Result<Option<Sample>> {
        let mut tokens = self.tokenizer.encode(&line.prompt)?;
        let prompt_len = if self.learn_prompts { 0 } else { tokens.len() };
        tokens.extend(self.tokenizer.encode(&line.completion)?);
        tokens.push(self.end);
        // A lone end has nothing before it to be predicted from.
        Ok(((2..=self.longest).contains(&tokens.len())).then_some(Sample { tokens, prompt_len, task: 0 }))
    }
}

/// Draws samples from several files by weight, each file in a new random order every time through.
pub(crate) struct Mixer<'a> {
    corpora: Vec<(&'a [Sample], f64)>,
    orders: Vec<Vec<u32>>,
    /// Where it stands.
    pub(crate) state: MixerState,
}

/// Where a [`Mixer`] stands: all that must be remembered to go on from there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MixerState {
    seed: u64,
    sources: Vec<Position>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Position {
    /// Times through the file.
    epoch: u64,
    /// Samples taken this time.
    taken: usize,
    /// Tokens taken in all.
    tokens: u64,
}

impl MixerState {
    /// The start, for so many files.
    pub(crate) fn new(seed: u64, sources: usize) -> MixerState {
        MixerState { seed, sources: vec![Position { epoch: 0, taken: 0, tokens: 0 }; sources] }
    }
}

impl<'a> Mixer<'a> {
    /// Goes on from `state`.
    ///
    /// # Panics
    /// If a corpus is empty or the state is of another number of files.
    pub(crate) fn new(corpora: Vec<(&'a [Sample], f64)>, state: MixerState) -> Mixer<'a> {
        assert!(
            corpora.len() == state.sources.len() && corpora.iter().all(|(samples, _)| !samples.is_empty())
        );
        let mut mixer = Mixer { orders: vec![Vec::new(); corpora.len()], corpora, state };
        (0..mixer.corpora.len()).for_each(|source| mixer.shuffle(source));
        mixer
    }

    fn shuffle(&mut self, source: usize) {
        let epoch = self.state.sources[source].epoch;
        let mut rng = Rng::new(
            self.state.seed ^ Rng::new(source as u64).bits() ^ Rng::new(epoch).bits().rotate_left(32),
        );
        let order = &mut self.orders[source];
        order.clear();
        order.extend(0..self.corpora[source].0.len() as u32);
        rng.shuffle(order);
    }

    /// The next sample: from the file that is furthest behind its share of tokens.
    pub(crate) fn draw(&mut self) -> &'a Sample {
        let behind = |source: &usize| self.state.sources[*source].tokens as f64 / self.corpora[*source].1;
        let source = (0..self.corpora.len()).min_by(|a, b| behind(a).total_cmp(&behind(b))).unwrap_or(0);
        let samples = self.corpora[source].0;
        let position = &mut self.state.sources[source];
        if position.taken == samples.len() {
            position.taken = 0;
            position.epoch += 1;
            self.shuffle(source);
        }
        let position = &mut self.state.sources[source];
        let sample = &samples[self.orders[source][position.taken] as usize];
        position.taken += 1;
        position.tokens += sample.tokens.len() as u64;
        sample
    }
}

/// A number that changes with any token of the corpora, so that a run is not resumed on other data.
pub(crate) fn fingerprint(corpora: &[Corpus]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut mix = |v: u64| hash = (hash ^ v).wrapping_mul(0x0000_0100_0000_01b3);
    for corpus in corpora {
        mix(corpus.samples.len() as u64);
        for sample in &corpus.samples {
            mix(sample.prompt_len as u64);
            sample.tokens.iter().for_each(|&t| mix(u64::from(t)));
        }
    }
    hash
}

/// Samples for each task.
pub(crate) type ByTask<T> = BTreeMap<String, T>;

#[cfg(test)]
mod tests {
    use super::*;

    fn corpus(n: usize, len: usize) -> Vec<Sample> {
        (0..n).map(|i| Sample { tokens: vec![i as u32; len], prompt_len: 1, task: 0 }).collect()
    }

    #[test]
    fn files_get_their_share_and_each_sample_its_turn() {
        let (a, b) = (corpus(10, 5), corpus(40, 20));
        let mut mixer = Mixer::new(vec![(&a, 1.0), (&b, 3.0)], MixerState::new(1, 2));
        let mut first: Vec<u32> = Vec::new();
        let (mut of_a, mut of_b) = (0, 0);
        for _ in 0..2_000 {
            let sample = mixer.draw();
            if sample.tokens.len() == 5 {
                of_a += 5;
                if first.len() < 10 {
                    first.push(sample.tokens[0]);
                }
            } else {
                of_b += 20;
            }
        }
        assert!((of_b as f64 / of_a as f64 - 3.0).abs() < 0.1);
        assert_ne!(first, (0..10).collect::<Vec<_>>());
        first.sort_unstable();
        assert_eq!(first, (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn a_mixer_goes_on_where_its_state_says() {
        let (a, b) = (corpus(7, 3), corpus(11, 4));
        let sources = || vec![(&a[..], 1.0), (&b[..], 1.0)];
        let mut whole = Mixer::new(sources(), MixerState::new(5, 2));
        for _ in 0..100 {
            whole.draw();
        }
        let text = serde_json::to_string(&whole.state).unwrap();
        let mut resumed = Mixer::new(sources(), serde_json::from_str(&text).unwrap());
        for _ in 0..100 {
            assert_eq!(whole.draw(), resumed.draw());
        }
    }

    #[test]
    fn bad_lines_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.jsonl");
        std::fs::write(&path, "{\"prompt\": \"a\", \"completion\": \"b\", \"more\": 1}\n\n{\"prompt\": 3}\n")
            .unwrap();
        let read: Vec<_> = lines(&path).unwrap().collect();
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].as_ref().unwrap().completion, "b");
        let error = read[1].as_ref().unwrap_err();
        assert_eq!(error.code(), Code::DatasetInvalid);
        assert!(error.place().unwrap().ends_with("a.jsonl:3"), "{error}");
    }
}
