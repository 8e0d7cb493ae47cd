//! Feeds manifests, indexes and configurations.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ecr_registry::fuzz::manifests(data));
