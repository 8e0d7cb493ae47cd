//! What a version can do.

use super::Flavour;

/// A part of the protocol that older versions do not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feature {
    /// Functions of providers.
    Functions,
    /// `moved` between resource types.
    MoveBetweenTypes,
    /// Ephemeral resources.
    Ephemeral,
    /// Write-only arguments.
    WriteOnly,
    /// Identities of resources, and import by them.
    Identity,
    /// List resources and the command `query`.
    ListResources,
    /// Actions.
    Actions,
    /// Configuration for imports written by the provider.
    GenerateConfig,
    /// Private data of a plan comes back in the plan made again during apply.
    PlannedPrivate,
    /// Blocks that the provider fills.
    ComputedBlocks,
}

impl Feature {
    /// All of them, oldest first.
    pub const ALL: [Self; 10] = [
        Self::Functions,
        Self::MoveBetweenTypes,
        Self::Ephemeral,
        Self::WriteOnly,
        Self::Identity,
        Self::ListResources,
        Self::Actions,
        Self::GenerateConfig,
        Self::PlannedPrivate,
        Self::ComputedBlocks,
    ];

    /// The first version that has it; none does if it is `None`.
    pub fn since(self, flavour: Flavour) -> Option<(u32, u32)> {
        let (terraform, opentofu) = match self {
            Self::Functions => ((1, 8), Some((1, 7))),
            Self::MoveBetweenTypes => ((1, 8), Some((1, 10))),
            Self::Ephemeral => ((1, 10), Some((1, 11))),
            Self::WriteOnly => ((1, 11), Some((1, 11))),
            Self::Identity => ((1, 12), Some((1, 12))),
            Self::ListResources | Self::Actions | Self::GenerateConfig => ((1, 14), None),
            Self::PlannedPrivate | Self::ComputedBlocks => ((1, 16), None),
        };
        if flavour == Flavour::Terraform { Some(terraform) } else { opentofu }
    }
}
