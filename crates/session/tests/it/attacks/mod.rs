//! Attempts to get out of a cell, to look into another one, and to harm who serves it.

mod frames;
mod nuisance;
mod race;
mod walls;
