//! Any bytes as a file of recordings, plain or compressed: an error with a place, or sessions. What
//! was read once is read the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::io::Write;

fuzz_target!(|bytes: &[u8]| {
    let mut file = tempfile::NamedTempFile::new_in("/dev/shm").expect("a scratch file");
    file.write_all(bytes).expect("a scratch file can be written");
    match gtm_sim::recording::read_recordings(file.path()) {
        Ok(first) => {
            let second = gtm_sim::recording::read_recordings(file.path()).expect("it was readable");
            assert_eq!(format!("{first:?}"), format!("{second:?}"));
        }
        Err(error) => assert!(!error.message().is_empty()),
    }
});
