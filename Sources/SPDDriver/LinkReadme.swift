import SPDCompiler

/// The README of an emitted folder: how to link and call the network.
package enum LinkReadme {
  package static func text(_ compiled: Builder.Compiled, toolchain: Toolchain, hasParameters: Bool) -> String {
    if compiled.plan.mode == .training { return training(compiled, toolchain) }
    let prefix = compiled.prefix
    let upper = prefix.uppercased()
    let flags = (Builder.fastFlags.dropFirst() + compiled.plan.target.flags + ["-fopenmp"]).joined(separator: " ")
    return """
      # \(compiled.graph.name) in C

      A program needs only `\(prefix).c` and `include/\(prefix).h`; the header documents each function.
      \(hasParameters ? "The parameters are in `\(prefix).spdw`." : "No parameters were given; `spdc compile --weights FILE` writes them.")

      ## From C

      ```c
      #include "\(prefix).h"

      static \(prefix)_context context;
      void *packed = aligned_alloc(64, (\(upper)_PACKED_BYTES + 63) / 64 * 64);
      void *arena = aligned_alloc(64, (\(upper)_ARENA_BYTES(2) + 63) / 64 * 64);
      /* parameters: the file, mapped or read to a 64-byte aligned address */
      int status = \(prefix)_pack(parameters, parameter_bytes, packed, \(upper)_PACKED_BYTES);
      if (status == \(upper)_OK) status = \(prefix)_init(&context, packed, arena, \(upper)_ARENA_BYTES(2), 2);
      if (status == \(upper)_OK) status = \(prefix)_infer(&context, input, output);
      if (status != \(upper)_OK) puts(\(prefix)_status(status));
      ```

      Build the source for any device:

      ```
      cc -std=c17 \(flags) -Iinclude -c \(prefix).c
      ```

      or link `lib\(prefix).a`, built with \(toolchain.version) for \(compiled.plan.target.name); it needs an
      OpenMP library (`-fopenmp`).

      ## From Swift

      This folder is a SwiftPM C target: add it to a manifest with `path:`, `import \(prefix)`, and

      ```swift
      import SPDRuntime
      import \(prefix)

      let network = try Network(module: \(prefix)_module())
      let weights = try network.pack(ParameterFile(mapping: "\(prefix).spdw"))
      let output = try network.session(weights, threads: 2).infer(input)
      ```

      """
  }

  private static func training(_ compiled: Builder.Compiled, _ toolchain: Toolchain) -> String {
    let prefix = compiled.prefix
    let upper = prefix.uppercased()
    let flags = (Builder.fastFlags.dropFirst() + compiled.plan.target.flags + ["-fopenmp"]).joined(separator: " ")
    let (data, argument) =
      switch compiled.plan.supervision {
      case .labels: (".labels = labels", ".labels(labels)")
      case .boxes: (".targets = boxes, .target_count = count, .rates = &rates", ".boxes(boxes)")
      case .numbers: (".targets = expected, .target_count = \(upper)_MAX_TARGETS", ".numbers(expected)")
      }
    // A step that updates in the backward pass has no gradient array.
    let gradients: (declaration: String, field: String) =
      compiled.plan.updatesInBackward
      ? ("", "") : ("gradients[\(upper)_STATE_COUNT], ", ".gradients = gradients, ")
    return """
      # Training \(compiled.graph.name) in C

      A program needs only `\(prefix).c` and `include/\(prefix).h`; the header documents each function and what the
      caller owns.

      ## From C

      ```c
      #include "\(prefix).h"

      static float values[\(upper)_STATE_COUNT], \(gradients.declaration)momentum[\(upper)_STATE_COUNT];
      /* 64-byte aligned; values: each parameter at its offset in \(prefix)_parameters; momentum: zeros */
      \(prefix)_trainer trainer = {.values = values, \(gradients.field).momentum = momentum, .arena = arena,
          .arena_bytes = \(upper)_ARENA_BYTES(2), .balances = \(upper)_BALANCES, .threads = 2};
      const spd_group_rates groups[3] = {{0.1, 5e-4, 0.9}, {0.1, 0, 0.9}, {0.1, 0, 0.9}}; /* rate, decay, momentum */
      const spd_update update = {.groups = groups, .rule = SPD_SGD, .gradient_scale = 1};
      const \(prefix)_batch batch = {.images = images, \(data)};
      float losses[4];
      int status = \(prefix)_step(&trainer, &batch, &update, losses);
      if (status != \(upper)_OK) puts(\(prefix)_status(status));
      ```

      Build the source for any device:

      ```
      cc -std=c17 \(flags) -Iinclude -c \(prefix).c
      ```

      or link `lib\(prefix).a`, built with \(toolchain.version) for \(compiled.plan.target.name); it needs an
      OpenMP library (`-fopenmp`).

      ## From Swift

      This folder is a SwiftPM C target: add it to a manifest with `path:`, `import \(prefix)`, and

      ```swift
      import SPDRuntime
      import \(prefix)

      let network = try TrainableNetwork(module: \(prefix)_module())
      let trainer = try network.trainer(threads: 2)
      try trainer.load { parameter in initialValues[parameter.name]! }
      let losses = try trainer.step(images, \(argument), Update(learningRate: 0.1, momentum: 0.9))
      ```

      """
  }
}
