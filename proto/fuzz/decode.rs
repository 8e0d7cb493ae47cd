//! Feeds the decoders of values, types and private data.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tfplugin_rs::fuzz::decode(data));
