//! What one pass computes: whole samples one after another, each attending to itself only.

use std::ops::Range;

/// Marks positions whose next token is given, not learned.
pub(crate) const IGNORED: u32 = u32::MAX;

/// A text to learn from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Prompt, completion and the token that ends it.
    pub tokens: Vec<u32>,
    /// How many of them are the prompt.
    pub prompt_len: usize,
    /// Index of the kind of task, for metrics.
    pub task: usize,
}

impl Sample {
    /// Positions it takes in a batch: every token but the last is an input.
    pub(crate) fn positions(&self) -> usize {
        self.tokens.len().saturating_sub(1)
    }
}

/// Samples packed one after another.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Inputs.
    pub tokens: Vec<u32>,
    /// For each input the token to predict, or [`IGNORED`].
    pub targets: Vec<u32>,
    /// Where each sample lies. Together they cover the inputs.
    pub segments: Vec<Range<usize>>,
    /// The task of each segment.
    pub tasks: Vec<usize>,
}

impl Batch {
    /// Number of targets.
    pub fn learned(&self) -> usize {
        self.targets.iter().filter(|&&t| t != IGNORED).count()
    }

    pub(crate) fn push(&mut self, sample: &Sample) {
        let start = self.tokens.len();
        let Some((_, inputs)) = sample.tokens.split_last() else { return };
        self.tokens.extend_from_slice(inputs);
        let targets = sample.tokens.iter().enumerate().skip(1);
        self.targets.extend(targets.map(|(i, &t)| if i >= sample.prompt_len { t } else { IGNORED }));
        self.segments.push(start..self.tokens.len());
        self.tasks.push(sample.task);
    }

    /// Packs samples, in order, into batches of at most `most` positions. None is longer than that.
    pub fn pack<'a>(samples: impl IntoIterator<Item = &'a Sample>, most: usize) -> Vec<Batch> {
        let mut batches: Vec<Batch> = Vec::new();
        for sample in samples {
            match batches.last_mut() {
                Some(batch) if batch.tokens.len() + sample.positions() <= most => batch.push(sample),
                _ => {
                    let mut batch = Batch::default();
                    batch.push(sample);
                    batches.push(batch);
                }
            }
        }
        batches
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_are_inputs_but_not_targets() {
        let sample = Sample { tokens: vec![10, 11, 12, 13, 2], prompt_len: 3, task: 1 };
        let batches = Batch::pack([&sample, &sample, &sample], 9);
        assert_eq!(batches.len(), 2);
        assert_eq!(batches[0].tokens, [10, 11, 12, 13, 10, 11, 12, 13]);
        assert_eq!(batches[0].targets, [IGNORED, IGNORED, 13, 2, IGNORED, IGNORED, 13, 2]);
        assert_eq!(batches[0].segments, [0..4, 4..8]);
        assert_eq!(batches[0].learned(), 4);
    }
}
