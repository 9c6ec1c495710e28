//! Forkservers and kernels, in real cells.

mod entering;
mod hostile;
mod kit;
mod measure;
mod real;
mod survival;
mod unharmed;
