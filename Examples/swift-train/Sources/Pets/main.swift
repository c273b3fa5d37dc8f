// Declares a network, trains it on a folder of images, saves its weights, writes it as C, and classifies an image.
//
//     swift run -c release Pets DATA IMAGE [EPOCHS] [FOLDER]
//
// DATA has a folder of images per class, optionally under `train` and `val`. All output is written to FOLDER.

import SPD
import SPDDriver
import SPDTraining
import SPDVision

let network = Model("pets", input: .image(3, 32, 32), classes: 2) { image, classes in
  image.through(
    Conv(16, kernel: 3), SpaceToDepth(), Conv(32, kernel: 3), SpaceToDepth(), Conv(64, kernel: 3),
    GlobalAveragePool(), Flatten(), Linear(classes))
}

/// Prints a line per epoch.
final class Log: TrainingObserver {
  func step(_ progress: TrainingProgress) {}
  func validating(epoch: Int, of epochs: Int, done: Int, of total: Int) {}
  func endEpoch(_ summary: EpochSummary) {
    let values = summary.values.map { "\($0.metric.name) \($0.metric.valueText($0.value))" }.joined(separator: ", ")
    print("epoch \(summary.epoch)/\(summary.epochs): \(values)\(summary.isBest ? ", best" : "")")
  }
  func finish() {}
}

let arguments = CommandLine.arguments
guard arguments.count >= 3 else { fatalError("usage: Pets DATA IMAGE [EPOCHS] [FOLDER]") }
let epochs = arguments.count > 3 ? Int(arguments[3]) ?? 20 : 20
let folder = arguments.count > 4 ? arguments[4] : "pets"

// Train: compiles and loads two C modules, one for training steps and one for validation.
let training = try await Training(
  network, data: ImageFolder(arguments[1]), configuration: .sgd(epochs: epochs, batch: 16, learningRate: 0.05))
let result = try training.run(in: folder + "/run", observer: Log())
guard let best = result.best else { fatalError("no epoch was validated") }
print("best: top-1 \((best.metric * 1000).rounded() / 10) % after epoch \(best.epoch)")

// Save the weights, and compile the network with them to C.
let weights = folder + "/pets.safetensors"
try best.saveWeights(to: weights)
var options = CompileOptions()
options.weights = weights
let files = try await Compilation(network, options: options).write(to: folder + "/c")
print("C: \(files.joined(separator: ", "))")

// Compile for inference and classify. Size, normalisation and class names come from the checkpoint.
let classifier = try await Classifier(network, checkpoint: best)
print(try classifier.classify(Image(contentsOf: arguments[2])).first!)
