//! What the fuzzer feeds, and what has to hold then. A panic is a finding.
//!
//! The programs for the fuzzer are in `fuzz/`, what it found worth keeping in `fuzz/corpus/`; the tests
//! here go through all of that again.

mod decode;
mod provider;
mod requests;

pub use decode::decode;
pub use requests::requests;

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    fn replay(target: &str, feed: impl Fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
        let files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
        assert!(!files.is_empty());
        for file in files {
            // The name of the thread is the name of the test; the file's stands in the output of a failure.
            println!("{}", file.display());
            feed(&fs::read(file).unwrap());
        }
    }

    #[test]
    fn decode_survives_the_corpus() {
        replay("decode", super::decode);
    }

    #[test]
    fn requests_survive_the_corpus() {
        replay("requests", super::requests);
    }
}
