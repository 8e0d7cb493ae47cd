//! What holds for all types and values, and for everything that may come over the wire.

mod generate;
mod hostile;
mod travel;
