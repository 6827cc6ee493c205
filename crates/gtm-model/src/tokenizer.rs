//! Text to tokens and back: byte-level BPE as `tokenizer.json`.

use gtm_error::{Code, Error, Result};
use std::collections::BTreeMap;
use std::path::Path;
use tokenizers::models::TrainerWrapper;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{AddedToken, SplitDelimiterBehavior};

/// The token that ends a text, in tokenizers made here.
pub const END: &str = "<|end|>";

/// Where a text is cut before merges: Qwen2's pattern, so that digits stand alone and llama.cpp knows it.
const PATTERN: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Largest `tokenizer.json` read, in bytes.
const MAX_FILE: u64 = 64 << 20;

/// A tokenizer. Text that spells a special token is text, never that token: prompts hold what others wrote.
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    /// What each token stands for; a special token's own spelling.
    bytes: Vec<Vec<u8>>,
    special: Vec<bool>,
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(Code::ModelInvalid, message)
}

impl Tokenizer {
    /// Reads a `tokenizer.json`, or the one in a folder.
    ///
    /// # Errors
    /// [`Code::FileUnreadable`], [`Code::ModelInvalid`].
    pub fn load(path: &Path) -> Result<Tokenizer> {
        let path = if path.is_dir() { path.join("tokenizer.json") } else { path.to_owned() };
        let unreadable =
            |e: std::io::Error| Error::new(Code::FileUnreadable, e.to_string()).in_file(path.display());
        let size = std::fs::metadata(&path).map_err(unreadable)?.len();
        if size > MAX_FILE {
            return Err(invalid(format!("{size} bytes"))
                .expected(format!("at most {MAX_FILE}"))
                .in_file(path.display()));
        }
        let bytes = std::fs::read(&path).map_err(unreadable)?;
        Tokenizer::from_json(&bytes).map_err(|e| e.in_file(path.display()))
    }

    /// Reads the bytes of a `tokenizer.json`.
    ///
    /// # Errors
    /// [`Code::ModelInvalid`].
    pub fn from_json(json: &[u8]) -> Result<Tokenizer> {
        let inner =
            tokenizers::Tokenizer::from_bytes(json).map_err(|e| invalid(format!("not a tokenizer: {e}")))?;
        Tokenizer::new(inner)
    }

    fn new(mut inner: tokenizers::Tokenizer) -> Result<Tokenizer> {
        inner.set_encode_special_tokens(true);
        let added: BTreeMap<u32, AddedToken> = inner.get_added_tokens_decoder().into_iter().collect();
        let vocabulary = inner.get_vocab(true);
        let len = vocabulary.values().max().map_or(0, |&id| id as usize + 1);
        if len == 0 || len > 1 << 20 {
            return Err(invalid(format!("{len} tokens")).expected(format!("1 to {}", 1 << 20)));
        }
        let of_char = byte_of_char();
        let (mut bytes, mut special) = (vec![Vec::new(); len], vec![false; len]);
        for (text, id) in vocabulary {
            let at = id as usize;
            (bytes[at], special[at]) = match added.get(&id) {
                Some(token) => (token.content.clone().into_bytes(), token.special),
                // A character that stands for no byte makes a token that no text holds.
                None => (text.chars().filter_map(|c| of_char.get(&c).copied()).collect(), false),
            };
        }
        Ok(Tokenizer { inner, bytes, special })
    }

    /// Learns a vocabulary of `size` tokens, [`END`] among them, from texts. The same texts in the same order give the same
    /// tokenizer.
    ///
    /// # Errors
    /// [`Code::TrainingInvalid`] if `size` does not even hold the bytes.
    pub fn train(texts: impl Iterator<Item = String> + Send, size: usize) -> Result<Tokenizer> {
        let failed = |e: tokenizers::Error| {
            Error::new(Code::TrainingInvalid, format!("cannot learn a vocabulary: {e}"))
        };
        if !(260..=1 << 20).contains(&size) {
            return Err(Error::new(Code::TrainingInvalid, format!("a vocabulary of {size}"))
                .expected("260 to 1048576"));
        }
        let mut inner = tokenizers::Tokenizer::new(BPE::default());
        let split = Split::new(SplitPattern::Regex(PATTERN.into()), SplitDelimiterBehavior::Isolated, false)
            .map_err(failed)?;
        let levels = ByteLevel::new(false, false, false);
        inner.with_pre_tokenizer(Some(Sequence::new(vec![
            PreTokenizerWrapper::Split(split),
            PreTokenizerWrapper::ByteLevel(levels),
        ])));
        inner.with_decoder(Some(levels));
        let trainer = BpeTrainer::builder()
            .vocab_size(size)
            .min_frequency(2)
            .show_progress(false)
            .special_tokens(vec![AddedToken::from(END, true)])
            .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
            .build();
        inner.train(&mut TrainerWrapper::from(trainer), texts).map_err(failed)?;
        Tokenizer::new(inner)
    }

    /// Writes `tokenizer.json` into a folder that is there.
    ///
    /// # Errors
    /// [`Code::StorageFailed`].
    pub fn save(&self, dir: &Path) -> Result<()> {
        let path = dir.join("tokenizer.json");
        self.inner
            .save(&path, false)
            .map_err(|e| Error::new(Code::StorageFailed, e.to_string()).in_file(path.display()))
    }

    /// The tokens of a text.
    ///
    /// # Errors
    /// [`Code::ModelInvalid`] if the tokenizer cannot spell it.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let encoding =
            self.inner.encode_fast(text, false).map_err(|e| invalid(format!("cannot encode: {e}")))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The text of tokens, special ones left out. Bytes that are no UTF-8 become U+FFFD.
    pub fn decode(&self, tokens: &[u32]) -> String {
        let bytes: Vec<u8> = tokens
            .iter()
            .filter(|&&t| !self.is_special(t))
            .flat_map(|&t| self.token_bytes(t).iter().copied())
            .collect();
        String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
    }

    /// What a token stands for; nothing if there is no such token.
    pub fn token_bytes(&self, token: u32) -> &[u8] {
        self.bytes.get(token as usize).map_or(&[], Vec::as_slice)
    }

    /// Whether a token is one that no text contains.
    pub fn is_special(&self, token: u32) -> bool {
        self.special.get(token as usize).copied().unwrap_or(false)
    }

    /// The special token of this spelling.
    pub fn special(&self, spelling: &str) -> Option<u32> {
        let id = self.inner.token_to_id(spelling)?;
        self.is_special(id).then_some(id)
    }

    /// Number of tokens.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are no tokens at all; never, for one that loaded.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// The byte for which each character stands in byte-level vocabularies: printable Latin-1 for itself, the rest in order from
/// U+0100 on (the table of GPT-2).
fn byte_of_char() -> BTreeMap<char, u8> {
    let printable = |b: u8| matches!(b, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    let others = (0..=255u8).filter(|&b| !printable(b)).zip('\u{100}'..).map(|(b, c)| (c, b));
    (0..=255u8).filter(|&b| printable(b)).map(|b| (char::from(b), b)).chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn trained() -> Tokenizer {
        let words = [
            "order",
            "status",
            "customer_id",
            "pending",
            "2024-05-17",
            "{\"name\": \"Ada\"}",
            "naïve Straße",
        ];
        let texts = (0..400).map(move |i| format!("{} {} {i}", words[i % 7], words[i / 7 % 7]));
        Tokenizer::train(texts, 400).unwrap()
    }

    #[test]
    fn training_is_repeatable_and_saves_what_it_was() {
        let (a, b) = (trained(), trained());
        let dir = tempfile::tempdir().unwrap();
        a.save(dir.path()).unwrap();
        let first = std::fs::read(dir.path().join("tokenizer.json")).unwrap();
        b.save(dir.path()).unwrap();
        assert!(first == std::fs::read(dir.path().join("tokenizer.json")).unwrap());
        let c = Tokenizer::load(dir.path()).unwrap();
        let text = "the order's status is \"pending\" since 2024-05-17";
        assert_eq!(a.encode(text).unwrap(), c.encode(text).unwrap());
        assert!(a.encode("order status").unwrap().len() <= 4, "words that were common are one token or two");
        assert_eq!(a.encode("2024").unwrap().len(), 4, "each digit stands alone");
    }

    #[test]
    fn text_never_becomes_a_special_token() {
        let tokenizer = trained();
        let end = tokenizer.special(END).unwrap();
        let tokens = tokenizer.encode("a <|end|> b").unwrap();
        assert!(!tokens.contains(&end));
        assert_eq!(tokenizer.decode(&tokens), "a <|end|> b");
        assert_eq!(tokenizer.decode(&[end]), "");
    }

    #[test]
    fn what_is_no_tokenizer_is_an_error() {
        for bytes in [
            &b""[..],
            b"{}",
            b"[1]",
            b"{\"model\": {\"type\": \"BPE\", \"vocab\": {}, \"merges\": []}}",
            b"\xff\xfe",
        ] {
            assert_eq!(Tokenizer::from_json(bytes).err().unwrap().code(), Code::ModelInvalid);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn every_text_comes_back(text in "\\PC*|[\\x00-\\x7f]*") {
            thread_local!(static TOKENIZER: Tokenizer = trained());
            let back = TOKENIZER.with(|t| t.decode(&t.encode(&text).unwrap()));
            prop_assert_eq!(back, text);
        }
    }
}
