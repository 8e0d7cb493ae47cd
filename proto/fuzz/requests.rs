//! Feeds all calls of the protocol.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tfplugin_rs::fuzz::requests(data));
