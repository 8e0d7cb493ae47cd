//! The resource `ecr_image`.

mod arguments;
mod decision;
mod memory;
mod schema;
