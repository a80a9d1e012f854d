#include "parley/peer/plugins/secure_legacy.h"

#include <optional>
#include <string>
#include <utility>

#include "parley/codec/json.h"
#include "parley/codec/protobuf.h"
#include "parley/crypto/legacy_ecb.h"
#include "parley/peer/plugin_steps.h"
#include "parley/peer/plugins/secure.h"

namespace parley {

// What travels instead of a body. Not in a namespace without a name: codecs read its fields.
struct Encrypt {
  std::string cipherversion;
  std::string ciphertext;
};

namespace {

using wire::BodyCodec;

bool says(const wire::Metadata& metadata, std::string_view key, std::string_view what) {
  return metadata.get(key) == what;
}

Status no_codec() {
  return {Code::unimplemented,
          "secure_legacy: only JSON and protobuf bodies can be encrypted (body_codec)"};
}

// Nothing at all, encrypted, is written as erpc's peers write by default.
BodyCodec codec_of(BodyCodec codec, const Bytes& body) {
  return codec == BodyCodec::none && body.empty() ? BodyCodec::json : codec;
}

class SecureLegacy {
 public:
  explicit SecureLegacy(const SecureLegacyOptions& options) : always_(options.always) {
    auto key = options.key == nullptr
                   ? Status(Code::invalid_argument, "SecureLegacyOptions::key is not set")
                   : crypto::LegacyEcbKey::create(*options.key);
    if (key) {
      key_.emplace(*std::move(key));
    } else {
      why_not_ = key.error();
    }
  }

  [[nodiscard]] const Status& why_not() const { return why_not_; }
  Status call(CallStep& step, Next& next) const;
  Status serve(ServeStep& step, Next& next) const;

 private:
  [[nodiscard]] Result<Bytes> encrypt(BodyCodec codec, const Bytes& body) const;
  [[nodiscard]] Result<Bytes> decrypt(BodyCodec codec, const Bytes& body) const;

  const bool always_;
  std::optional<crypto::LegacyEcbKey> key_;
  Status why_not_;
};

Result<Bytes> SecureLegacy::encrypt(BodyCodec codec, const Bytes& body) const {
  auto text = key_->encrypt(body.to_string());
  if (!text) return text.error();
  const Encrypt encrypted{.cipherversion = key_->cipher_version(), .ciphertext = *std::move(text)};
  if (codec != BodyCodec::json && codec != BodyCodec::protobuf) return no_codec();
  auto written =
      codec == BodyCodec::json ? codec::encode_json(encrypted) : codec::encode_protobuf(encrypted);
  if (!written) return written.error();
  return Bytes::from(*std::move(written));
}

Result<Bytes> SecureLegacy::decrypt(BodyCodec codec, const Bytes& body) const {
  if (codec != BodyCodec::json && codec != BodyCodec::protobuf) return no_codec();
  const std::string text = body.to_string();
  const auto encrypted = codec == BodyCodec::json ? codec::decode_json<Encrypt>(text)
                                                  : codec::decode_protobuf<Encrypt>(text);
  if (!encrypted) return encrypted.error().with_context("secure_legacy");
  if (encrypted->cipherversion != key_->cipher_version()) {
    return Status(Code::data_loss, "secure_legacy: the body was encrypted with another key");
  }
  auto plain = key_->decrypt(encrypted->ciphertext);
  if (!plain) return plain.error().with_context("secure_legacy");
  return Bytes::from(*std::move(plain));
}

Status SecureLegacy::call(CallStep& step, Next& next) const {
  wire::Metadata& metadata = step.options().metadata;
  if (always_ || says(metadata, secure_key, "true")) {
    const BodyCodec codec = codec_of(step.body_codec(), step.body());
    auto body = encrypt(codec, step.body());
    if (!body) return body.error();
    metadata.set(secure_key, "true");
    step.set_body(codec, *std::move(body));
  }
  Status status = next();
  if (!status.is_ok() || !says(step.reply_metadata(), secure_key, "true")) return status;
  auto body = decrypt(step.reply_codec(), step.reply_body());
  if (!body) return body.error();
  step.set_reply(step.reply_codec(), *std::move(body));
  return {};
}

Status SecureLegacy::serve(ServeStep& step, Next& next) const {
  const bool is_encrypted = says(step.metadata(), secure_key, "true");
  const bool answers = !says(step.metadata(), accept_secure_key, "false") &&
                       (is_encrypted || says(step.metadata(), accept_secure_key, "true"));
  if (is_encrypted) {
    auto body = decrypt(step.body_codec(), step.body());
    if (!body) return body.error();
    step.set_body(step.body_codec(), *std::move(body));
  }
  Status status = next();
  if (!status.is_ok() || !answers || step.is_push()) return status;
  const BodyCodec codec = codec_of(step.reply_codec(), step.reply_body());
  auto body = encrypt(codec, step.reply_body());
  if (!body) return body.error();
  step.set_reply(codec, *std::move(body));
  step.reply_metadata().set(secure_key, "true");
  return {};
}

}  // namespace

Plugin secure_legacy(SecureLegacyOptions options) {
  const auto self = std::make_shared<const SecureLegacy>(std::move(options));
  return {.name = "secure_legacy",
          .before_new_peer = [self](PeerOptions&) { return self->why_not(); },
          .call = [self](CallStep& step, Next& next) { return self->call(step, next); },
          .serve = [self](ServeStep& step, Next& next) { return self->serve(step, next); }};
}

}  // namespace parley
