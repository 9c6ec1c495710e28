//! The bed itself, without any cell.
//!
//! What is inside is tested by [`in_the_bed`], which needs a bed around it, and says `SKIPPED` without; how a bed begins and
//! ends by [`life`].

mod in_the_bed;
mod life;
