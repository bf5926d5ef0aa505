fn main() -> std::process::ExitCode {
    waterclock_benches::one_shot::main(waterclock_benches::clients::raw::make)
}
