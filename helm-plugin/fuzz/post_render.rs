//! Feeds manifests to the post-renderer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| helm_eks_deploy::fuzz::post_render(data));
