"""The mixture is what the plan says: SNR, level, room, band limit and clipping."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from cmkt.data.cache import AudioCache, read_cut
from cmkt.data.manifest import Prepared
from cmkt.data.mixture import Mixer, Mixture
from cmkt.data.plan import MixtureSettings, draw_plan, plain_settings
from cmkt.errors import AudioError, DataError
from cmkt.signal.level import active_level_db, rms_db

RATE = 16_000


def mixed(prepared: Prepared, settings: MixtureSettings, *, seed: int = 0, snr_db: float | None = None) -> Mixture:
    mixer = Mixer(settings, prepared.noise, prepared.rir, RATE)
    speech = read_cut(list(prepared.speech)[4], RATE)
    return mixer.mix(speech, np.random.default_rng(seed), snr_db=snr_db)


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 12.0])
def test_snr_is_active_speech_level_over_noise_rms(prepared: Prepared, snr_db: float) -> None:
    mixture = mixed(prepared, plain_settings(), snr_db=snr_db)
    noise = mixture.noisy - mixture.clean
    assert active_level_db(mixture.clean, RATE) - rms_db(noise) == pytest.approx(snr_db, abs=0.01)
    assert mixture.snr_db == snr_db


def test_snr_of_reverberant_speech_counts_the_reverberation(prepared: Prepared) -> None:
    settings = dataclasses.replace(plain_settings(), reverb_probability=1.0, early_seconds=0.2)
    # With 0.2 s of early reflections the whole room belongs to the target: the rest is noise alone.
    mixture = mixed(prepared, settings, snr_db=3.0)
    assert mixture.rir_id == "room"
    assert active_level_db(mixture.clean, RATE) - rms_db(mixture.noisy - mixture.clean) == pytest.approx(3.0, abs=0.01)


def test_level_is_that_of_the_speech_and_the_gain_is_common(prepared: Prepared) -> None:
    mixture = mixed(prepared, dataclasses.replace(plain_settings(), level_db=(-33.0, -33.0)), snr_db=10.0)
    assert active_level_db(mixture.clean, RATE) == pytest.approx(-33.0, abs=0.01)
    assert mixture.level_db == pytest.approx(-33.0, abs=0.01)


def test_peak_never_passes_full_scale_and_the_told_level_is_the_real_one(prepared: Prepared) -> None:
    mixture = mixed(prepared, dataclasses.replace(plain_settings(), level_db=(0.0, 0.0)), snr_db=-5.0)
    assert np.abs(mixture.noisy).max() == pytest.approx(0.99, abs=1e-5)
    assert mixture.level_db < -1.0
    assert active_level_db(mixture.clean, RATE) == pytest.approx(mixture.level_db, abs=0.01)


def test_target_is_in_time_with_the_direct_path(prepared: Prepared) -> None:
    settings = dataclasses.replace(plain_settings(), reverb_probability=1.0, early_seconds=0.0, clean_probability=1.0)
    speech = read_cut(list(prepared.speech)[4], RATE)
    mixture = mixed(prepared, settings)
    gain = mixture.clean[8_500] / speech[8_500]
    assert np.abs(mixture.clean - gain * speech).max() < 1e-4
    # Before the first reflection, 1400 samples after the direct path, mixture and target are the same.
    assert np.abs(mixture.noisy - mixture.clean)[:1390].max() < 1e-4
    assert np.abs(mixture.noisy - mixture.clean)[1390:].max() > 1e-2


def test_no_noise_gives_the_speech_and_no_snr(prepared: Prepared) -> None:
    mixture = mixed(prepared, dataclasses.replace(plain_settings(), clean_probability=1.0))
    assert (mixture.noisy == mixture.clean).all()
    assert mixture.snr_db is None
    assert mixture.noise_ids == ()


def test_two_noises_are_both_named_and_keep_the_snr(prepared: Prepared) -> None:
    mixture = mixed(prepared, dataclasses.replace(plain_settings(), two_noises_probability=1.0), snr_db=2.0)
    assert len(mixture.noise_classes) == 2
    assert active_level_db(mixture.clean, RATE) - rms_db(mixture.noisy - mixture.clean) == pytest.approx(2.0, abs=0.01)


def test_clipping_and_band_limit_leave_the_target_alone(prepared: Prepared) -> None:
    plain = mixed(prepared, plain_settings())
    clipped = mixed(prepared, dataclasses.replace(plain_settings(), clip_probability=1.0, clip_fraction=(0.5, 0.5)))
    limited = mixed(
        prepared, dataclasses.replace(plain_settings(), band_limit_probability=1.0, band_limit_hz=(2000.0, 2000.0))
    )
    assert (clipped.clean == plain.clean).all()
    assert (limited.clean == plain.clean).all()
    assert np.abs(clipped.noisy).max() == pytest.approx(0.5 * np.abs(plain.noisy).max(), rel=1e-5)
    spectrum = np.abs(np.fft.rfft(limited.noisy)) ** 2
    above = spectrum[np.fft.rfftfreq(limited.noisy.size, 1 / RATE) > 2300]
    assert above.sum() < 1e-4 * spectrum.sum()


def test_turning_one_augmentation_off_moves_no_other_draw(prepared: Prepared) -> None:
    settings = MixtureSettings(reverb_probability=1.0)
    with_room, without = (
        mixed(prepared, settings),
        mixed(prepared, dataclasses.replace(settings, reverb_probability=0.0)),
    )
    assert with_room.noise_ids == without.noise_ids
    assert with_room.snr_db == without.snr_db


def test_silent_speech_is_an_error(prepared: Prepared) -> None:
    mixer = Mixer(MixtureSettings(), prepared.noise, None, RATE)
    with pytest.raises(AudioError):
        mixer.mix(np.zeros(RATE, dtype=np.float32), np.random.default_rng(0))


def test_noise_is_needed_unless_all_is_clean(prepared: Prepared) -> None:
    with pytest.raises(DataError):
        Mixer(MixtureSettings(), None, None, RATE)
    clean = Mixer(MixtureSettings(clean_probability=1.0), None, None, RATE)
    assert clean.mix(np.ones(RATE, dtype=np.float32) * 0.1, np.random.default_rng(0)).snr_db is None


def test_works_at_other_rates(prepared: Prepared) -> None:
    mixer = Mixer(MixtureSettings(band_limit_probability=1.0), prepared.noise, prepared.rir, 8_000)
    speech = read_cut(next(iter(prepared.speech)), 8_000)
    assert mixer.mix(speech, np.random.default_rng(0)).noisy.shape == (8_000,)


def voices(prepared: Prepared) -> AudioCache:
    return AudioCache(list(prepared.speech), RATE, limit_bytes=1 << 20)


@pytest.mark.parametrize(
    ("changes", "classes"),
    [
        ({"synthetic_probability": 1.0}, {"coloured", "modulated", "hum", "clicks"}),
        ({"babble_probability": 1.0}, {"babble"}),
        ({"music_probability": 1.0}, {"music"}),
        ({"noise_speed_probability": 1.0, "colour_probability": 1.0}, None),
    ],
)
def test_every_source_of_noise_keeps_the_snr(
    prepared: Prepared, changes: dict[str, float], classes: set[str] | None
) -> None:
    mixer = Mixer(dataclasses.replace(plain_settings(), **changes), prepared.noise, None, RATE)  # type: ignore[arg-type]
    speech = read_cut(list(prepared.speech)[4], RATE)
    seen = set()
    for seed in range(12):
        mixture = mixer.mix(speech, np.random.default_rng(seed), snr_db=4.0, voices=voices(prepared))
        noise = mixture.noisy - mixture.clean
        assert active_level_db(mixture.clean, RATE) - rms_db(noise) == pytest.approx(4.0, abs=0.01)
        seen |= set(mixture.noise_classes)
    assert classes is None or seen <= classes
    assert classes != {"coloured", "modulated", "hum", "clicks"} or len(seen) > 2


def test_babble_never_holds_the_speech_itself(prepared: Prepared) -> None:
    settings = dataclasses.replace(plain_settings(), babble_probability=1.0, babble_voices=(3, 3))
    mixer = Mixer(settings, prepared.noise, None, RATE)
    cut = list(prepared.speech)[4]
    for seed in range(20):
        rng = np.random.default_rng(seed)
        mixture = mixer.mix(read_cut(cut, RATE), rng, voices=voices(prepared), speech_id=cut.id)
        assert cut.id not in mixture.noise_ids


def test_babble_names_its_voices_and_needs_some(prepared: Prepared) -> None:
    settings = dataclasses.replace(plain_settings(), babble_probability=1.0, babble_voices=(3, 3))
    mixer = Mixer(settings, prepared.noise, None, RATE)
    speech = read_cut(list(prepared.speech)[4], RATE)
    mixture = mixer.mix(speech, np.random.default_rng(0), voices=voices(prepared))
    assert len(mixture.noise_ids) == 3
    assert set(mixture.noise_ids) <= {cut.id for cut in prepared.speech}
    with pytest.raises(DataError, match="babble_probability"):
        mixer.mix(speech, np.random.default_rng(0))


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_speed_changes_the_length_of_both_sides(prepared: Prepared, factor: float) -> None:
    settings = dataclasses.replace(plain_settings(), speed_probability=1.0, speed_factor=(factor, factor))
    speech = read_cut(list(prepared.speech)[4], RATE)
    mixture = mixed(prepared, settings)
    assert mixture.noisy.shape == mixture.clean.shape == (round(speech.size / factor),)


def test_colour_of_the_speech_is_in_the_target(prepared: Prepared) -> None:
    settings = dataclasses.replace(plain_settings(), colour_probability=1.0, clean_probability=1.0)
    mixture, plain = mixed(prepared, settings), mixed(prepared, dataclasses.replace(settings, colour_probability=0.0))
    assert (mixture.noisy == mixture.clean).all()
    spectra = [np.abs(np.fft.rfft(one.clean)) for one in (mixture, plain)]
    loud = spectra[1] > 0.1 * spectra[1].max()
    assert np.ptp(20 * np.log10(spectra[0][loud] / spectra[1][loud])) > 0.1


def test_the_placing_of_recorded_noise_is_what_it_was_in_the_first_release(prepared: Prepared) -> None:
    """Scores are kept by the identity of a mixture, so what a draw gives must not move."""
    mixer = Mixer(plain_settings(), prepared.noise, None, RATE)
    speech = read_cut(list(prepared.speech)[4], RATE)
    plan = draw_plan(plain_settings(), np.random.default_rng(5))
    assert mixer.noise is not None
    drawn = mixer.noise.draw(speech.size, np.random.default_rng(plan.noises[0].seed)).audio
    mixture = mixer.mix(speech, np.random.default_rng(5))
    noise = mixture.noisy - mixture.clean
    assert np.corrcoef(noise, drawn)[0, 1] > 0.9999


FIRST_RELEASE = [
    # RMS of noisy and clean in dB, then every 5,000th sample times 1,000, under seeds 0 to 5
    [-27.4206, -34.145, -0.2404, -0.7772, 61.5446, 16.7435, -14.4616],
    [-17.8446, -17.744, -4.7807, 6.8335, 11.3654, -13.4997, 13.1156],
    [-29.8008, -35.2043, 26.9776, -44.6543, 26.6974, 13.9189, -31.2998],
    [-25.2138, -26.4698, 33.7219, -1.7063, 9.311, -37.1478, 35.1638],
    [-14.6197, -19.4157, 40.4906, -89.9123, -34.2625, -521.5355, -55.9002],
    [-30.9256, -27.7934, 3.1902, -13.8976, 7.8223, 19.8212, -34.0397],
]


def test_the_mixtures_of_the_first_release_are_what_they_were(prepared: Prepared) -> None:
    """Taken before there were simulated rooms, music and codecs: RMS of each side, and one sample in 5,000."""
    settings = MixtureSettings(
        reverb_probability=0.5,
        speed_probability=0.5,
        noise_speed_probability=0.5,
        colour_probability=0.5,
        synthetic_probability=0.2,
        babble_probability=0.2,
    )
    mixer = Mixer(settings, prepared.noise, prepared.rir, RATE)
    speech = read_cut(list(prepared.speech)[4], RATE)
    found = []
    for seed in range(6):
        mixture = mixer.mix(speech, np.random.default_rng(seed), voices=voices(prepared))
        found.append([rms_db(mixture.noisy), rms_db(mixture.clean), *(1000 * mixture.noisy[2_500::5_000][:5])])
    np.testing.assert_allclose(found, FIRST_RELEASE, atol=2e-3)


def test_a_simulated_room_needs_no_measured_one_and_its_target_keeps_early_reflections(prepared: Prepared) -> None:
    settings = dataclasses.replace(
        plain_settings(), reverb_probability=1.0, simulated_room_share=1.0, clean_probability=1.0
    )
    mixer = Mixer(settings, prepared.noise, None, RATE)
    speech = read_cut(list(prepared.speech)[4], RATE)
    for seed in range(5):
        mixture = mixer.mix(speech, np.random.default_rng(seed))
        assert mixture.rir_id is not None
        assert mixture.rir_id.startswith("simulated-0.")
        # Up to 50 ms after the direct path both are the same room; then only the mixture rings on.
        np.testing.assert_allclose(mixture.noisy[:800], mixture.clean[:800], atol=1e-6)
        assert np.abs(mixture.noisy - mixture.clean)[800:].max() > 1e-3


def test_a_codec_leaves_the_target_alone_and_in_time(prepared: Prepared) -> None:
    settings = dataclasses.replace(plain_settings(), codec_probability=1.0)
    for seed in range(8):
        coded, plain = mixed(prepared, settings, seed=seed), mixed(prepared, plain_settings(), seed=seed)
        np.testing.assert_array_equal(coded.clean, plain.clean)
        assert not np.array_equal(coded.noisy, plain.noisy)
        size = 2 * plain.noisy.size
        spectra = np.fft.rfft(coded.noisy, size), np.fft.rfft(plain.noisy, size)
        assert int(np.argmax(np.fft.irfft(spectra[0] * np.conj(spectra[1]), size))) == 0
