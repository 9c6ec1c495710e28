//! What a session reaches, and what of it can be seen outside, with the clients that people have and with every way to
//! get a name out of a machine; in the test bed, where each answers or is seen when no cell is around it.
//!
//! They need a bed around them and the environment `full`, and say `SKIPPED` without.

mod audit;
mod in_the_bed;
mod kit;
