//! Turns a folder into a container image: natively, or by BuildKit.
