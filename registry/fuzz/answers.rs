//! Feeds what registries say: challenges, refusals, locations.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ecr_registry::fuzz::answers(data));
