//! Feeds files that people edit: plans, locks, settings, kubeconfigs.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| helm_eks_deploy::fuzz::files(data));
