//! The lab: real parts that run on one machine.
