//! What the fuzzer feeds, and what has to hold then. A panic is a finding.
//!
//! The programs for the fuzzer are in `fuzz/`, what it found worth keeping in `fuzz/corpus/`; the tests here go
//! through all of that again, and look for more in their own way.
#![allow(clippy::unwrap_used, reason = "a panic is a finding")]

mod archives;
mod layouts;
mod manifests;
mod names;
#[cfg(test)]
mod properties;

pub use archives::archives;
pub use layouts::layouts;
pub use manifests::manifests;
pub use names::names;

/// What a registry may say beside content: a challenge, a refusal, or where to go. The first byte tells which.
pub fn answers(data: &[u8]) {
    let Some(([which, status], rest)) = data.split_first_chunk() else { return };
    let text = String::from_utf8_lossy(rest);
    match which % 3 {
        0 => crate::access::fuzz::challenge(&text),
        1 => crate::transport::fuzz::refusal(*status, rest),
        _ => crate::transport::fuzz::location(*status, &text),
    }
}

/// Files and answers with logins in them.
pub fn logins(data: &[u8]) {
    crate::access::fuzz::logins(data);
}

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
    fn the_corpora_are_survived() {
        replay("answers", super::answers);
        replay("archives", super::archives);
        replay("layouts", super::layouts);
        replay("logins", super::logins);
        replay("manifests", super::manifests);
        replay("names", super::names);
    }
}
