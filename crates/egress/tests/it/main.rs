//! A way out as a cell has it: real sockets on loopback, where only the machine is a stand-in (where a connection was
//! led from, what is the host's own, which public address is which server of the test).

mod bed;
mod carried;
mod corpus;
mod greetings;
mod limits;
mod looked_up;
mod measure;
mod name_server;
mod packets;
mod refused;
mod wire;
