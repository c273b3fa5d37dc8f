import Foundation
import Testing

@testable import SPDFormats

/// Files written by numpy, safetensors and torch read as those libraries read them.
struct FixtureTests {
  @Test func fixturesAreThere() {
    #expect(Fixture.checkpoints.count >= 20)
    #expect(Fixture.arrays.count >= 30)
  }

  @Test(arguments: Fixture.checkpoints) func checkpointEqualsItsLibrary(_ name: String) throws {
    let checkpoint = try readCheckpoint(Fixture.path(name))
    let expected = try Fixture.expected(name)
    #expect(Set(checkpoint.order) == Set(expected.map(\.name)))
    #expect(checkpoint.order.count == checkpoint.tensors.count)
    // torch and numpy keep the order; safetensors sorts by name and alignment.
    if !name.hasSuffix(".safetensors") { #expect(checkpoint.order == expected.map(\.name)) }
    for (key, tensor) in expected {
      let read = try #require(checkpoint.tensors[key], "\(key)")
      #expect(isSame(read, tensor), "\(key)")
    }
  }

  @Test(arguments: Fixture.arrays) func arrayEqualsNumpy(_ name: String) throws {
    let expected = try Fixture.expected(name)[0].tensor
    #expect(isSame(try readNPY(Fixture.path(name)), expected))
  }

  /// The content decides, not the name.
  @Test func extensionDoesNotMatter() throws {
    let folder = try TemporaryFolder()
    for name in ["st-fp16.safetensors", "npz-stored.npz", "pt-half.pt"] {
      let copy = folder.file(name + ".txt")
      try FileManager.default.copyItem(atPath: Fixture.path(name), toPath: copy)
      #expect(try readCheckpoint(copy).order.isEmpty == false)
    }
  }

  @Test(arguments: [
    ("st-fp32.safetensors", "safetensors, fp32"), ("st-bf16.safetensors", "safetensors, bf16"),
    ("st-mixed.safetensors", "safetensors, int64"), ("npz-stored.npz", "npz"), ("pt-state-dict.pt", "state dict, fp32"),
    ("pt-half.pt", "state dict, fp16"), ("pt-module-ema.pt", "ema, fp16"), ("pt-module.pt", "model, fp16"),
    ("pt-module-parallel.pt", "module, fp16"), ("pt-strided.pt", "state dict, fp32"),
  ]) func originSaysWhereFrom(_ name: String, _ origin: String) throws {
    let found = try readCheckpoint(Fixture.path(name)).origin
    #expect(found == origin || name == "st-mixed.safetensors" && found.hasPrefix("safetensors, "))
  }

  @Test func classesAndMetadata() throws {
    let ema = try readCheckpoint(Fixture.path("pt-module-ema.pt"))
    #expect(ema.classNames == ["cat", "dög", "emu"])
    #expect(ema.classes == 3)
    #expect(ema.metadata["epoch"] == "-1")
    #expect(ema.metadata["date"] == "2024-01-01")
    #expect(ema.metadata["model_class"] == "models.yolo.Model")
    let parallel = try readCheckpoint(Fixture.path("pt-module-parallel.pt"))
    #expect(parallel.classNames == ["x", "y", "z"])
    let plain = try readCheckpoint(Fixture.path("pt-protocol4.pt"))
    #expect(plain.classNames == ["a", "b"])
    #expect(plain.classes == 2)
    let state = try readCheckpoint(Fixture.path("pt-state-dict.pt"))
    #expect(state.classNames == nil && state.classes == nil)
    let safetensors = try readCheckpoint(Fixture.path("st-mixed.safetensors"))
    #expect(safetensors.classNames == ["cat", "dög"])
    #expect(safetensors.classes == 2)
    #expect(safetensors.metadata["note"] == "quote \" and \\ and\nline")
  }

  /// Every 16-bit float, against the hardware's idea of it.
  @Test func halfFloatsAreExact() {
    for bits in UInt16.min...UInt16.max {
      let value = HalfFloat.float32(half: bits)
      let exponent = Int(bits >> 10 & 31)
      let mantissa = Float(bits & 1023)
      let sign: Float = bits & 0x8000 == 0 ? 1 : -1
      switch exponent {
      case 31: #expect(mantissa == 0 ? value == sign * .infinity : value.isNaN)
      case 0: #expect(value == sign * mantissa * 0x1p-24 && value.sign == sign.sign)
      default:
        #expect(value == sign * (1 + mantissa / 1024) * Float(sign: .plus, exponent: exponent - 15, significand: 1))
      }
    }
  }
}
