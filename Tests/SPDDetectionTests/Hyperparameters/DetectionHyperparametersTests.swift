import Foundation
import Testing

@testable import SPDDetection

@Suite struct DetectionHyperparametersTests {
  private static let scratch = """
    # a comment
    lr0: 0.01  # initial learning rate
    lrf: 0.1
    momentum: 0.937
    weight_decay: 0.0005
    warmup_epochs: 3.0
    warmup_momentum: 0.8
    warmup_bias_lr: 0.1
    box: 0.05
    cls: 0.5
    cls_pw: 1.0
    obj: 1.0
    obj_pw: 1.0
    iou_t: 0.20
    anchor_t: 4.0
    # anchors: 3
    fl_gamma: 0.0
    hsv_h: 0.015
    hsv_s: 0.7
    hsv_v: 0.4
    degrees: 0.0
    translate: 0.1
    scale: 0.5
    shear: 0.0
    perspective: 0.0
    flipud: 0.0
    fliplr: 0.5
    mosaic: 1.0
    mixup: 0.0
    copy_paste: 0.0
    """

  @Test func theReferencesFileIsTheDefault() throws {
    #expect(try DetectionHyperparameters(yaml: Self.scratch, path: "h.yaml") == .scratch)
    #expect(try DetectionHyperparameters(yaml: "", path: "h.yaml") == .scratch)
    let some = try DetectionHyperparameters(yaml: "lr0: 1e-3\nanchors: 4\n", path: "h.yaml")
    #expect(some.lr0 == 0.001 && some.anchors == 4 && some.lrf == 0.1)
  }

  @Test func valuesSurviveYAMLAndJSON() throws {
    for (name, preset) in DetectionHyperparameters.presets {
      #expect(try DetectionHyperparameters(yaml: preset.yaml, path: name) == preset)
      let json = try JSONEncoder().encode(preset)
      #expect(try JSONDecoder().decode(DetectionHyperparameters.self, from: json) == preset)
      #expect(String(decoding: json, as: UTF8.self).contains("\"copy_paste\""))
    }
    #expect(DetectionHyperparameters.scratchLow.lrf == 0.01 && DetectionHyperparameters.scratchHigh.mixup == 0.1)
  }

  @Test func theTableIsComplete() {
    let keys = DetectionHyperparameters.fields.map(\.key)
    #expect(keys.count == 29 && Set(keys).count == 29)
    for field in DetectionHyperparameters.fields {
      #expect(field.limits.lowerBound <= field.searchRange.lowerBound)
      #expect(field.limits.upperBound >= field.searchRange.upperBound)
      guard let value = field.defaultValue else { continue }
      #expect(field.limits.contains(value) && DetectionHyperparameters.scratch[field.key] == value)
    }
  }

  @Test(arguments: [
    ("hsv_g: 0.1", "h.yaml: line 1: there is no hyperparameter `hsv_g`; did you mean `hsv_"),
    ("lr0: 0.1\nmozaic: 1", "line 2: there is no hyperparameter `mozaic`; did you mean `mosaic`?"),
    ("lr0: fast", "line 1: `lr0` is not a number from 0 to 10"),
    ("lr0: nan", "`lr0` is not a number"), ("mosaic: 1.5", "`mosaic` is not a number from 0 to 1"),
    ("flipud: -0.1", "a number from 0 to 1"), ("anchors: x", "`anchors` is not a number"),
    ("lr0: [1, 2]", "line 1: has a list or a nested mapping"), ("lr0:\n  a: 1", "line 2: has a list"),
    ("- 1", "line 1: has a list"), ("lr0: 1\nlr0: 2", "occurs twice"), ("just words", "is not a mapping"),
    ("lr0: 'x", "is not YAML"), ("lr0: .inf", "is not a number"), ("? a\n: 1", "has a list or a nested mapping"),
  ])
  func faultsAreNamed(yaml: String, expected: String) {
    let text = loadingError { _ = try DetectionHyperparameters(yaml: yaml, path: "h.yaml") }
    #expect(text.contains(expected), "\(text)")
  }

  @Test func hostileFilesAreRefused() throws {
    for yaml in [
      String(repeating: "[", count: 200_000), String(repeating: "- ", count: 200_000),
      String(repeating: "? ", count: 200_000), String(repeating: "a: ", count: 200_000), "\u{0}", "&a *a: 1",
      "a\u{1b}[31m: 1",
    ] {
      let text = loadingError { _ = try DetectionHyperparameters(yaml: yaml, path: "h.yaml") }
      #expect(text.contains("h.yaml") && !text.contains("\u{1b}") && text.count < 500)
    }
    let missing = loadingError { _ = try DetectionHyperparameters(contentsOf: "/nowhere/h.yaml") }
    #expect(missing.contains("/nowhere/h.yaml"))
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data([0x6c, 0xff, 0xfe]).write(to: URL(fileURLWithPath: path))
    #expect(loadingError { _ = try DetectionHyperparameters(contentsOf: path) }.contains("not UTF-8"))
  }
}
