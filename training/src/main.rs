//! x
fn main(){ println!("{:?}", training::a()); }
