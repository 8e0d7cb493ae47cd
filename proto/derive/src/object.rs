//! What is written for a struct.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Error, Expr, ExprLit, Fields, Lit, Meta, Result};

use crate::field::{Call, Field, calls};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let refused = || Error::new_spanned(&input.ident, "an object is a struct with named fields");
    let Data::Struct(data) = &input.data else { return Err(refused()) };
    let Fields::Named(fields) = &data.fields else { return Err(refused()) };
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(&input.generics, "an object has no parameters: its schema is one"));
    }
    let fields = fields.named.iter().map(Field::parse).collect::<Result<Vec<_>>>()?;
    let name = &input.ident;
    let description = description(&input.attrs);
    let said = calls(&input.attrs)?;
    let said = said.iter().map(Call::expand);
    let read = fields.iter().map(Field::read);
    let write = fields.iter().map(Field::write);
    let members = fields.iter().map(Field::member);
    Ok(quote! {
        #[automatically_derived]
        impl ::tfplugin_rs::FromValue for #name {
            fn from_value(
                view: &::tfplugin_rs::View<'_>,
            ) -> ::core::result::Result<Self, ::tfplugin_rs::ValueError> {
                view.object()?;
                ::core::result::Result::Ok(Self { #(#read),* })
            }
        }

        #[automatically_derived]
        impl ::core::convert::From<#name> for ::tfplugin_rs::Value {
            fn from(object: #name) -> Self {
                ::tfplugin_rs::Value::object::<&str>([#(#write),*])
            }
        }

        #[automatically_derived]
        impl ::tfplugin_rs::Shaped for #name {
            fn shape() -> ::tfplugin_rs::Shape {
                ::tfplugin_rs::Shape::single(
                    <Self as ::tfplugin_rs::Object>::block().attributes().iter().cloned(),
                )
            }
        }

        #[automatically_derived]
        impl ::tfplugin_rs::Object for #name {
            fn block() -> ::tfplugin_rs::Block {
                ::tfplugin_rs::Block::new().describe(#description) #(#said)* #(#members)*
            }
        }
    })
}

/// The documentation, without the space that each line of it begins with.
pub(crate) fn description(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter(|attribute| attribute.path().is_ident("doc"));
    let lines = lines.filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(doc) => match &doc.value {
            Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) => Some(line.value()),
            _ => None,
        },
        _ => None,
    });
    let lines: Vec<_> = lines.map(|line| line.strip_prefix(' ').unwrap_or(&line).to_owned()).collect();
    lines.join("\n").trim().to_owned()
}
