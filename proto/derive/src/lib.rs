//! `#[derive(Object)]` of `tfplugin-rs`, where it is documented and exported. Knows Rust's grammar and
//! the names of that crate's traits, and nothing of Terraform.

mod field;
mod object;

use proc_macro::TokenStream;
use syn::{DeriveInput, Error, parse_macro_input};

/// Makes a struct with named fields an object of Terraform's: it is read from a `Value` with
/// errors that say where, becomes a `Value` again, and has a schema.
///
/// Fields are attributes of the same name, in order. What a field's type makes of it is in the table of
/// `tfplugin_rs::Shaped`; its documentation is the description. What else is to be said stands in
/// `#[object(…)]`:
///
/// | | |
/// |---|---|
/// | `rename = "type"` | the attribute's name, where Rust forbids it |
/// | `required`, `optional`, `computed`, `optional_computed` | who sets it, where the type does not say |
/// | `default = v` | what it is if nothing is written; the user may write it then |
/// | `block` | nested blocks, not nested attributes |
/// | `m`, `m = v`, `m(v, …)` | calls the method `m` of `Attribute` (of `NestedBlock` for a block) |
///
/// On the struct, `#[object(m(v))]` calls a method of `Block`, such as `rule`.
///
/// ```
/// use tfplugin_rs::{Field, Object, Rule, Schema, Sensitive, Validator};
///
/// /// A door to the network.
/// #[derive(Object)]
/// #[object(rule = Rule::conflicts(["address", "tags"]))]
/// struct Port {
///     /// What kind of door it is.
///     #[object(rename = "type", default = "tcp", validate = Validator::one_of(["tcp", "udp"]))]
///     kind: String,
///     /// Its number.
///     #[object(requires_replace)]
///     number: u16,
///     /// Where it is.
///     address: Option<String>,
///     /// What opens it.
///     key: Option<Sensitive<String>>,
///     /// What it is called.
///     tags: Option<Vec<String>>,
///     /// Who may come in.
///     #[object(block, min_items(1))]
///     guest: Vec<Guest>,
///     /// Where it leads.
///     #[object(depends_on(["number"]))]
///     url: Field<String>,
/// }
///
/// /// Somebody.
/// #[derive(Object)]
/// struct Guest {
///     /// What they are called.
///     name: String,
/// }
///
/// let schema = Schema::of::<Port>();
/// assert_eq!(schema.check(), []);
/// ```
///
/// A type that stands for nothing in Terraform is refused where it is written:
///
/// ```compile_fail
/// #[derive(tfplugin_rs::Object)]
/// struct Share {
///     part: f64, // error: `f64` cannot be a field of an object … floats lose digits: use `Number`
/// }
/// ```
///
/// ```compile_fail
/// #[derive(tfplugin_rs::Object)]
/// struct Note {
///     #[object(requires_replacement)] // error: no method named `requires_replacement`
///     name: String,
/// }
/// ```
///
/// ```compile_fail
/// #[derive(tfplugin_rs::Object)]
/// struct Pair(String, String); // error: an object is a struct with named fields
/// ```
#[proc_macro_derive(Object, attributes(object))]
pub fn derive_object(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    object::expand(&input).unwrap_or_else(Error::into_compile_error).into()
}
