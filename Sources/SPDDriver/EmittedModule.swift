import Foundation
import SPDCompiler
import SPDRuntime

/// A compiled network as a folder: `<prefix>.c`, `include/<prefix>.h` with a module map, and optionally parameters, an
/// object, libraries and a README about linking.
package struct EmittedModule {
  package enum Products { case source, object, libraries }

  var compiled: Builder.Compiled
  var weighted: Weighted
  var builder: Builder
  var writesWeights: Bool
  var writesPacked: Bool
  var products: Products

  /// - Parameters:
  ///   - writesWeights: writes `<prefix>.spdw`, the parameters.
  ///   - writesPacked: writes `<prefix>.spdp`, the packed weights; needs weights and libraries.
  package init(
    compiled: Builder.Compiled, weighted: Weighted, builder: Builder, writesWeights: Bool, writesPacked: Bool = false,
    products: Products
  ) {
    (self.compiled, self.weighted, self.builder) = (compiled, weighted, builder)
    (self.writesWeights, self.writesPacked, self.products) = (writesWeights, writesPacked, products)
  }

  /// Writes all files atomically.
  ///
  /// - Returns: the files, relative to the folder, and the C compiler with its run time.
  package func write(to folder: String) async throws -> (files: [String], compiler: (name: String, time: Duration)?) {
    let prefix = compiled.prefix
    var compiler: (name: String, time: Duration)?
    let files = try await EmittedFolder.write(folder) { folder in
      try folder.put("\(prefix).c", compiled.code.source)
      try folder.put("include/\(prefix).h", compiled.code.header)
      try folder.put("include/module.modulemap", "module \(prefix) {\n  header \"\(prefix).h\"\n  export *\n}\n")
      var parameters: ParameterFile?
      if writesWeights {
        let file = try weighted.weights.file(for: weighted.graph)
        try file.withBytes { try folder.put("\(prefix).spdw", $0) }
        parameters = file
      }
      guard products != .source else { return }

      let toolchain = try await Toolchain.find()
      let start = ContinuousClock.now
      try await build(toolchain, in: &folder)
      compiler = (URL(fileURLWithPath: toolchain.compiler).lastPathComponent, ContinuousClock.now - start)
      guard products == .libraries else { return }
      try folder.put("README.md", LinkReadme.text(compiled, toolchain: toolchain, hasParameters: parameters != nil))
      if writesPacked, let parameters {
        try Machine.prepareOpenMP()
        let network = try Network(library: folder.place("lib\(prefix).so"), prefix: prefix)
        try network.pack(parameters).withBytes { try folder.put("\(prefix).spdp", $0) }
      }
    }
    return (files, compiler)
  }

  /// Builds the object, and the libraries if requested.
  private func build(_ toolchain: Toolchain, in folder: inout EmittedFolder) async throws {
    let prefix = compiled.prefix
    let object = folder.place("\(prefix).o")
    let cached = try await builder.object(
      source: compiled.code.source, header: (prefix + ".h", compiled.code.header), name: prefix, toolchain)
    try folder.put("\(prefix).o", Files.read(cached))
    guard products == .libraries else { return }
    guard let ar = Toolchain.locate("ar") ?? Toolchain.locate("llvm-ar") else {
      throw Failure(.unavailable, "ar was not found. On Debian: apt install binutils")
    }
    let archived = try await Toolchain.run(ar, ["rcsD", folder.place("lib\(prefix).a"), object])
    guard archived.succeeded else { throw Failure(.software, "ar: \(archived.firstLine)") }
    folder.add("lib\(prefix).a")
    try await builder.cc(toolchain, [object, "-shared", "-o", folder.place("lib\(prefix).so")])
    folder.add("lib\(prefix).so")
  }
}
