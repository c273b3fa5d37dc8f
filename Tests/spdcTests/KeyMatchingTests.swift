import SPDFormats
import Testing

@testable import SPDDriver

/// Weight files whose keys have prefixes or wrapper names.
@Suite struct KeyMatchingTests {
  private let names = ["model.0.weight", "model.0.bias", "model.1.weight"]

  private func match(_ keys: [String]) throws -> [String?] {
    let matching = try KeyMatching.best(keys, for: names)
    return keys.map(matching.name)
  }

  @Test(arguments: [
    "", "module.", "_orig_mod.", "network.", "net.", "backbone.", "model.", "module.model.", "state.net._orig_mod.",
    "student.encoder.",
  ]) func aCommonPrefixIsLeftOut(_ prefix: String) throws {
    #expect(try match(names.map { prefix + $0 }) == names)
    #expect(try KeyMatching.best(names.map { prefix + $0 }, for: names).stripped == prefix)
    // What is beside it belongs to something else.
    if !prefix.isEmpty { #expect(try match(names.map { prefix + $0 } + ["loss.weight"]) == names + [nil]) }
  }

  @Test func whatWrappersLeaveWithin() throws {
    #expect(
      try match(["model.0._orig_mod.weight", "model.0._orig_mod.bias", "model.1.module.weight"]) == names)
    #expect(
      try match([
        "net.model.0._checkpoint_wrapped_module.weight", "net.model.0.bias", "net.model.1._fsdp_wrapped_module.weight",
      ]) == names)
  }

  @Test func aPartThatWasSavedByItself() throws {
    #expect(try match(["0.weight", "0.bias", "1.weight"]) == names)
    #expect(try KeyMatching.best(["0.weight", "0.bias", "1.weight"], for: names).added == "model.")
  }

  @Test func severalPartsThatFit() throws {
    let keys = names.map { "student." + $0 } + names.map { "teacher." + $0 }
    #expect(throws: KeyMatching.Ambiguity.self) { try match(keys) }
  }

  @Test func keysThatHaveNothingToDoWithIt() throws {
    #expect(try KeyMatching.best(["a.b", "c.d", "x.model.0.weight"], for: names).isIdentity)
    #expect(try KeyMatching.best([], for: names).isIdentity)
    // One more layer than the file has does not hide the prefix.
    #expect(try KeyMatching.best(["net.model.0.weight", "net.model.0.bias"], for: names).stripped == "net.")
  }

  @Test func aCheckpointOfLightning() async throws {
    let scratch = try Scratch()
    var outputs: [[UInt8]] = []
    for name in ["lightning.ckpt", "good.safetensors"] {
      let run = try await spdc(
        "run", Place.tiny, "--weights", Place.fixtures + "/weights/" + name, "--input", "synthetic", "--output",
        scratch("y.npy")
      ).succeeded()
      #expect(run.errors.contains("tensors mapped") && !run.errors.contains("unused"))
      #expect(run.errors.contains("key prefix model. removed") == (name == "lightning.ckpt"))
      outputs.append(try bytes(scratch("y.npy")))
    }
    #expect(outputs[0] == outputs[1])
  }
}
