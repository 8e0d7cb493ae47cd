//! The program `eks-deploy`. All of it is in the library, which fuzzers reach too.

fn main() -> std::process::ExitCode {
    helm_eks_deploy::main()
}
