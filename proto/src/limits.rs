//! How much of what others send is taken in.

/// Deeper types than this are refused, as are deeper values: nobody writes them by hand.
pub(crate) const MAX_DEPTH: usize = 64;

/// The memory that one value may take, by the estimates below: twice the biggest message.
const MAX_MEMORY: usize = 512 << 20;

/// What a value takes in the list that holds it, while that grows.
pub(crate) const PART: usize = 256;

/// What a map takes beyond its members' own part: it has room for eleven at once.
pub(crate) const MAP: usize = 1024;

/// What a float takes when all its digits are written out.
pub(crate) const FLOAT: usize = 400;

/// What a byte of a type's JSON may come to.
pub(crate) const TYPE_BYTE: usize = 32;

/// Memory that is still to be had.
pub(crate) struct Room(usize);

impl Room {
    /// All that one value may take.
    pub(crate) fn whole() -> Self {
        Self(MAX_MEMORY)
    }

    #[cfg(test)]
    pub(crate) fn of(bytes: usize) -> Self {
        Self(bytes)
    }

    /// Takes some, before it is allocated.
    pub(crate) fn take(&mut self, bytes: usize) -> Option<()> {
        self.0 = self.0.checked_sub(bytes)?;
        Some(())
    }
}
