import Foundation
import Testing

@testable import SPDDriver
@testable import SPDTraining

struct ConfigurationTests {
  private func resolve(_ yaml: String? = nil, _ overrides: [String] = []) throws -> TrainingConfiguration {
    let folder = try TemporaryFolder()
    return try TrainingConfiguration.resolve(
      model: "resnet18-spd", file: yaml.map { try folder.write($0, "t.yaml") },
      overrides: overrides.map { try Setting(argument: $0) })
  }

  /// The message for a file or an override, with the temporary folder taken out of it.
  private func refusal(_ yaml: String? = nil, _ overrides: [String] = []) -> String? {
    message { _ = try resolve(yaml, overrides) }.map { text in
      text.replacing(#/^\S*/t\.yaml/#, with: "t.yaml")
    }
  }

  @Test func presetsAreThePapers() throws {
    let tiny = TrainingPreset.configuration(named: "resnet18-spd", model: "m")!
    #expect(tiny.batch == 256 && tiny.epochs == 200)
    #expect(tiny.optimizer.method == .sgd && !tiny.optimizer.nesterov && tiny.optimizer.decay == .all)
    #expect(tiny.optimizer.learningRate == 0.01793 && tiny.optimizer.momentum == 0.9447)
    #expect(tiny.optimizer.weightDecay == 0.002113)
    #expect(tiny.augmentation.valueRange == .byte && tiny.augmentation.flipVertical == 0.5)
    #expect(tiny.augmentation.mean == [122.4786, 114.2755, 101.3963])

    let paper = TrainingPreset.configuration(named: "resnet50-spd", model: "m")!
    #expect(paper.batch == 128 && paper.epochs == 200)
    #expect(paper.optimizer.learningRate == 0.1 && paper.optimizer.momentum == 0.9)
    #expect(paper.optimizer.weightDecay == 1e-4)
    #expect(paper.augmentation.rotation == 15 && paper.augmentation.valueRange == .unit)
    let code = TrainingPreset.configuration(named: "resnet50-spd-code", model: "m")!
    #expect(code.epochs == 500 && code.optimizer.weightDecay == 5e-4)
    for preset in [tiny, paper, code] {
      #expect(preset.schedule.milestones == [60, 120, 160] && preset.schedule.decayFactor == 0.2)
      #expect(preset.schedule.shape == .step && preset.schedule.warmupEpochs == 1)
    }
    #expect(TrainingPreset.name(for: "resnet50") == "resnet50-spd")
    #expect(TrainingPreset.name(for: "my.swift") == "default")
  }

  @Test func layers() throws {
    #expect(try resolve().optimizer.learningRate == 0.01793)
    let file = "epochs: 3\nlr: 0.5\nmilestones: [1, 2]\nimage-size: 32\ndata: 'a, b'\n"
    let both = try resolve(file, ["lr=0.25", "milestones=2,4,6", "image-size=null", "nesterov=true"])
    #expect(both.epochs == 3 && both.optimizer.learningRate == 0.25 && both.batch == 256)
    #expect(both.schedule.milestones == [2, 4, 6] && both.imageSize == nil && both.data == "a, b")
    #expect(both.optimizer.nesterov)
    #expect(try resolve(nil, ["milestones=[]", "milestones=[7]", "milestones="]).schedule.milestones == [])
    #expect(try resolve("").epochs == 200)
    #expect(try resolve("# nothing\n").epochs == 200)
  }

  @Test func presetBelowEverything() throws {
    let chosen = try resolve("epochs: 7\npreset: resnet50-spd-code\n")
    #expect(chosen.preset == "resnet50-spd-code" && chosen.optimizer.weightDecay == 5e-4 && chosen.epochs == 7)
    #expect(chosen.model == "resnet18-spd")
    #expect(try resolve("preset: resnet50-spd\n", ["preset=default"]).augmentation.rotation == 0)
    let folder = try TemporaryFolder()
    let file = try folder.write("model: resnet50\n", "t.yaml")
    #expect(try TrainingConfiguration.resolve(file: file).preset == "resnet50-spd")
  }

  @Test func errors() throws {
    #expect(
      refusal("epochs: 3\nwieght-decay: 1\n")
        == "t.yaml:2: there is no setting `wieght-decay`; did you mean `weight-decay`?")
    #expect(refusal("learning_rate: 1\n") == "t.yaml:1: there is no setting `learning_rate`; did you mean `lr`?")
    #expect(refusal(nil, ["batch-size=4"]) == "command line: there is no setting `batch-size`; did you mean `batch`?")
    #expect(refusal("\n\nepochs: many\n") == "t.yaml:3: `epochs` must be a whole number from 1 to 1000000, not `many`")
    #expect(refusal("epochs: 0\n") == "t.yaml:1: `epochs` must be a whole number from 1 to 1000000, not `0`")
    #expect(refusal("epochs: 1.5\n") == "t.yaml:1: `epochs` must be a whole number from 1 to 1000000, not `1.5`")
    #expect(refusal("epochs:\n") == "t.yaml:1: `epochs` must be a whole number from 1 to 1000000, not null")
    #expect(refusal("epochs: [1]\n") == "t.yaml:1: `epochs` must be a whole number from 1 to 1000000, not [1]")
    #expect(refusal(nil, ["lr=nan"]) == "command line: `lr` must be a number of at least 0, not `nan`")
    #expect(
      refusal(nil, ["momentum=1"]) == "command line: `momentum` must be a number of at least 0 and below 1, not `1`")
    #expect(refusal(nil, ["nesterov=yes"]) == "command line: `nesterov` must be true or false, not `yes`")
    #expect(
      refusal(nil, ["optimizer=lion"]) == "command line: `optimizer` must be one of sgd, adam, adamw, not `lion`")
    #expect(
      refusal("std: [1, 2]\n")
        == "t.yaml:1: `std` must be a list of three numbers above 0, such as [0.25, 0.25, 0.25], not [1, 2]")
    #expect(
      refusal(nil, ["milestones=60,x"])
        == "command line: `milestones` must be a list of ascending whole numbers above 0, such as [60, 120, 160], "
        + "not `60,x`")
    #expect(
      refusal("image-size: big\n")
        == "t.yaml:1: `image-size` must be a whole number from 1 to 65536, or null, not `big`")
    #expect(
      refusal("preset: mine\n") == "t.yaml:1: there is no preset `mine`; available: default, resnet18-spd, "
        + "resnet50-spd, resnet50-spd-code, detection, yolov5-spd-n, yolov5-spd-m, yolov5-spd-l")
    #expect(
      refusal(nil, ["nesterov=true", "optimizer=adam"])
        == "command line: `nesterov` requires SGD; set optimizer to sgd or nesterov to false")
    #expect(
      refusal("nesterov: true\nmomentum: 0\n") == "t.yaml:2: `nesterov` requires a `momentum` above 0")
    #expect(refusal("model: ''\n") == "t.yaml:1: `model` must be a text that is not empty, not nothing")
  }

  @Test func syntaxErrors() throws {
    #expect(refusal("epochs: 1\nepochs: 2\n") == "t.yaml:2: the key `epochs` occurs twice")
    #expect(
      refusal("- epochs\n") == "t.yaml:1: settings must be written as `key: value`, one on each line")
    #expect(refusal("lr: 1\n? [a]\n: 2\n") == "t.yaml:2: a key must be a word")
    #expect(
      refusal("optimizer:\n  lr: 1\n")
        == "t.yaml:2: `optimizer` must be a word, a number or a list of them; settings are not nested")
    #expect(
      refusal("std: [[1], 2, 3]\n")
        == "t.yaml:1: `std` must be a word, a number or a list of them; settings are not nested")
    #expect(refusal("mean: &m [1]\n? [" + String(repeating: "*m, ", count: 17) + "]\n") == "t.yaml:2: too many aliases")
    #expect(refusal("lr: 1\nmean: [1, 2\n")?.hasPrefix("t.yaml:3: is not YAML: ") == true)
    #expect(
      message { _ = try Setting(argument: "epochs") }
        == "command line: `epochs` is not a setting; write key=value, such as epochs=10")
    #expect(
      message { _ = try TrainingConfiguration.resolve() }
        == "command line: no model is set; write model=resnet18-spd, or the path of a model file")
    #expect(
      message { _ = try TrainingConfiguration.resolve(file: "/none.yaml") } == "/none.yaml: no such file")
    let folder = try TemporaryFolder()
    try Data([0xff, 0xfe, 0x41]).write(to: URL(fileURLWithPath: folder.file("b.yaml")))
    #expect(
      message { _ = try TrainingConfiguration.readSettings(folder.file("b.yaml")) }?
        .hasSuffix("b.yaml: is not UTF-8 text") == true)
  }

  /// What is written reads back as the same value and gives the same bytes again.
  @Test func yamlRoundTrip() throws {
    let folder = try TemporaryFolder()
    var odd = TrainingPreset.configuration(named: "resnet50-spd-code", model: "null")!
    odd.data = "a: \"b\" # 'c' \n\tü, [~]"
    odd.seed = .max
    odd.classes = 7
    odd.optimizer.learningRate = 0.1 + 0.2
    odd.optimizer.epsilon = 1e-300
    odd.optimizer.weightDecay = 1.5e20
    odd.schedule.milestones = []
    odd.schedule.shape = .cosine
    for configuration in TrainingPreset.names.map({ TrainingPreset.configuration(named: $0, model: "x.swift")! }) + [
      odd
    ] {
      let path = folder.file("config.yaml")
      try configuration.write(to: path)
      let read = try TrainingConfiguration.resolve(file: path)
      #expect(read == configuration)
      #expect(read.yaml == configuration.yaml)
      let json = try JSONEncoder().encode(configuration)
      #expect(try JSONDecoder().decode(TrainingConfiguration.self, from: json) == configuration)
    }
  }

  @Test func failedOverridesChangeNothing() throws {
    var configuration = try resolve()
    let before = configuration
    #expect(message { try configuration.apply([Setting(argument: "lr=1"), Setting(argument: "lr=x")]) } != nil)
    #expect(configuration == before)
    try configuration.apply([Setting(argument: "epochs=9")])
    #expect(configuration.epochs == 9)
  }

  @Test func everySettingIsDescribed() throws {
    let keys = SettingTable.fields.map(\.key)
    #expect(Set(keys).count == keys.count)
    #expect(SettingTable.fields.allSatisfy { !$0.help.isEmpty && !$0.expectation.isEmpty })
    // Another program's name must not be one of ours.
    for task in [TrainingPreset.fallback, "detection"] {
      let fields = SettingTable.fields(of: try #require(TrainingPreset.configuration(named: task, model: "m")))
      #expect(fields.allSatisfy { Set($0.otherNames).isDisjoint(with: fields.map(\.key)) })
    }
    #expect(SettingTable.nearest(to: "Batch_Size") == "batch" && SettingTable.nearest(to: "epoch") == "epochs")
    #expect(editDistance("kitten", "sitting") == 3 && editDistance("", "abc") == 3 && editDistance("ab", "") == 2)
  }
}
