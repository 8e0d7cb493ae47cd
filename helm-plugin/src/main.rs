//! `helm eks-deploy`.
fn main() {}
