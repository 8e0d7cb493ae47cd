//! What is written for a field.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{
    Attribute, Error, Expr, Ident, LitStr, Result, Token, Type,
    ext::IdentExt,
    parenthesized,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
    spanned::Spanned,
    token::Paren,
};

use crate::object::description;

/// A field and what is said about it.
pub(crate) struct Field {
    ident: Ident,
    ty: Type,
    name: LitStr,
    block: bool,
    description: String,
    calls: Vec<Call>,
}

/// One thing said in `#[object(…)]`: a method to call, or a word of the macro's own.
pub(crate) struct Call {
    method: Ident,
    arguments: TokenStream,
}

impl Parse for Call {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let method = input.call(Ident::parse_any)?;
        let arguments = if input.peek(Paren) {
            let arguments;
            parenthesized!(arguments in input);
            arguments.parse()?
        } else if input.parse::<Option<Token![=]>>()?.is_some() {
            input.parse::<Expr>()?.into_token_stream()
        } else {
            TokenStream::new()
        };
        Ok(Self { method, arguments })
    }
}

/// The words for who sets an attribute.
const MODES: [(&str, &str); 4] = [
    ("required", "Required"),
    ("optional", "Optional"),
    ("computed", "Computed"),
    ("optional_computed", "OptionalComputed"),
];

impl Call {
    fn is_mode(&self) -> bool {
        MODES.iter().any(|(word, _)| self.method == word)
    }

    pub(crate) fn expand(&self) -> TokenStream {
        let Self { method, arguments } = self;
        let Some((_, mode)) = MODES.iter().find(|(word, _)| method == word) else {
            return quote_spanned!(method.span()=> .#method(#arguments));
        };
        let mode = Ident::new(mode, method.span());
        quote_spanned!(method.span()=> .set_by(::tfplugin_rs::Mode::#mode))
    }
}

/// Everything said in the `#[object(…)]` of a struct or field.
pub(crate) fn calls(attributes: &[Attribute]) -> Result<Vec<Call>> {
    let said = attributes.iter().filter(|attribute| attribute.path().is_ident("object"));
    let said =
        said.map(|attribute| attribute.parse_args_with(Punctuated::<Call, Token![,]>::parse_terminated));
    Ok(said.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

impl Field {
    pub(crate) fn parse(field: &syn::Field) -> Result<Self> {
        let missing = || Error::new(Span::call_site(), "an object is a struct with named fields");
        let ident = field.ident.clone().ok_or_else(missing)?;
        let mut name = LitStr::new(&ident.unraw().to_string(), ident.span());
        let mut block = false;
        let mut said = Vec::new();
        for call in calls(&field.attrs)? {
            if call.method == "rename" {
                name = syn::parse2(call.arguments)?;
            } else if call.method == "block" {
                block = true;
            } else {
                said.push(call);
            }
        }
        // A plain type with a default need not be written.
        if said.iter().any(|call| call.method == "default") && !said.iter().any(Call::is_mode) {
            said.insert(
                0,
                Call { method: Ident::new("optional", Span::call_site()), arguments: TokenStream::new() },
            );
        }
        Ok(Self {
            ident,
            ty: field.ty.clone(),
            name,
            block,
            description: description(&field.attrs),
            calls: said,
        })
    }

    /// The field, read from a view.
    pub(crate) fn read(&self) -> TokenStream {
        let Self { ident, ty, name, .. } = self;
        quote_spanned!(ty.span()=> #ident: view.get(#name).read::<#ty>()?)
    }

    /// The field, as a member of a value.
    pub(crate) fn write(&self) -> TokenStream {
        let Self { ident, ty, name, .. } = self;
        quote_spanned!(ty.span()=> (#name, ::core::convert::Into::into(object.#ident)))
    }

    /// The field, as a part of a block.
    pub(crate) fn member(&self) -> TokenStream {
        let Self { ty, name, description, .. } = self;
        let calls = self.calls.iter().map(Call::expand);
        if self.block {
            let block = quote_spanned!(ty.span()=> <#ty as ::tfplugin_rs::Blocks>::block(#name));
            quote!(.block(#block #(#calls)*))
        } else {
            let attribute = quote_spanned!(ty.span()=> <#ty as ::tfplugin_rs::Shaped>::attribute(#name));
            quote!(.attribute(#attribute.describe(#description) #(#calls)*))
        }
    }
}
