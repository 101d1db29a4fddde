//! Values as users write and read them.
