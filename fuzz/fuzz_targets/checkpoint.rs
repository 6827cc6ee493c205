//! Any bytes as the files of a model's folder: an error, or tensors of the stated shapes.
#![no_main]

use gtm_model::safetensors::Reader;
use gtm_model::{Config, Tokenizer};
use libfuzzer_sys::fuzz_target;
use std::io::Write;

fuzz_target!(|bytes: &[u8]| {
    let mut file = tempfile::NamedTempFile::new_in("/dev/shm").expect("a scratch file");
    file.write_all(bytes).expect("a scratch file can be written");
    if let Ok(mut reader) = Reader::open(file.path()) {
        let tensors: Vec<_> = reader.tensors().map(|(name, shape)| (name.to_owned(), shape.to_vec())).collect();
        for (name, shape) in tensors {
            // The file holds the elements, so that there are no more of them than bytes; or none.
            let elements = shape.iter().product::<usize>();
            if elements <= bytes.len() {
                let mut out = vec![0.0; elements];
                let _ = reader.read(&name, &shape, &mut out);
            }
        }
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(config) = Config::from_json(text) {
        assert!(config.check().is_ok());
    }
    if let Ok(tokenizer) = Tokenizer::from_json(bytes) {
        if let Ok(tokens) = tokenizer.encode("one {\"a\": 1}") {
            let _ = tokenizer.decode(&tokens);
        }
    }
});
