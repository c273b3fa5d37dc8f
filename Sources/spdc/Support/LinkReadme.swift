import SPDCompiler

/// The README of an emitted folder: how to link and call what is in it.
enum LinkReadme {
  static func text(_ compiled: Builder.Compiled, toolchain: Toolchain, hasParameters: Bool) -> String {
    let prefix = compiled.prefix
    let upper = prefix.uppercased()
    let flags = (Builder.fastFlags.dropFirst() + compiled.plan.target.flags + ["-fopenmp"]).joined(separator: " ")
    return """
      # \(compiled.graph.name) in C

      `\(prefix).c` and `include/\(prefix).h` are all that a program needs; the header says what each function does.
      \(hasParameters ? "The parameters are in `\(prefix).spdw`." : "No parameters were given; `spdc compile --weights FILE` writes them.")

      ## From C

      ```c
      #include "\(prefix).h"

      static \(prefix)_context context;
      void *packed = aligned_alloc(64, (\(upper)_PACKED_BYTES + 63) / 64 * 64);
      void *arena = aligned_alloc(64, (\(upper)_ARENA_BYTES(2) + 63) / 64 * 64);
      /* parameters: the file, mapped or read to an address that is a multiple of 64 */
      int status = \(prefix)_pack(parameters, parameter_bytes, packed, \(upper)_PACKED_BYTES);
      if (status == \(upper)_OK) status = \(prefix)_init(&context, packed, arena, \(upper)_ARENA_BYTES(2), 2);
      if (status == \(upper)_OK) status = \(prefix)_infer(&context, input, output);
      if (status != \(upper)_OK) puts(\(prefix)_status(status));
      ```

      Build the source yourself, for any device:

      ```
      cc -std=c17 \(flags) -Iinclude -c \(prefix).c
      ```

      or link `lib\(prefix).a`, which was built by \(toolchain.version) for \(compiled.plan.target.name); it needs an
      OpenMP library (`-fopenmp`).

      ## From Swift

      This folder is a C target as SwiftPM has them: name it in a manifest with `path:`, `import \(prefix)`, and

      ```swift
      import SPDRuntime
      import \(prefix)

      let network = try Network(module: \(prefix)_module())
      let weights = try network.pack(ParameterFile(mapping: "\(prefix).spdw"))
      let output = try network.session(weights, threads: 2).infer(input)
      ```

      """
  }
}
