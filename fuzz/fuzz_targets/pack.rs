//! Any bytes as a domain pack: an error, or a pack whose lint ends and whose findings say something.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match gtm_carg::pack::parse(bytes) {
        Ok(pack) => {
            for finding in gtm_carg::lint::lint(&pack, None) {
                assert!(!finding.message.is_empty());
            }
        }
        Err(error) => assert!(!error.message().is_empty()),
    }
});
