use crate::names::Digest;

/// What a push did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PushReport {
    /// The blobs that were sent.
    pub sent: Vec<Digest>,
    /// The blobs that were taken over from another repository of the registry.
    pub mounted: Vec<Digest>,
    /// The blobs that were there.
    pub already_there: Vec<Digest>,
    /// Whether the manifest was there.
    pub manifest_already_there: bool,
    /// The bytes of the blobs that were sent.
    pub bytes_sent: u64,
}
