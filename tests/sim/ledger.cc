// A bank: transfers lock two accounts in their order, auditors lock all, a journal tells.
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <shared_mutex>
#include <vector>

#include "parley/rt/channel.h"
#include "parley/rt/mutex.h"
#include "parley/rt/rw_mutex.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"
#include "scenario.h"

namespace parley::sim {
namespace {

using namespace std::chrono_literals;

struct Transfer {
  std::size_t from = 0;
  std::size_t to = 0;
  int amount = 0;
};

struct Account {
  rt::Mutex mutex;
  int balance = 0;
};

class Bank {
 public:
  Bank(std::size_t accounts, int balance) : accounts_(accounts), balance_(balance) {
    for (Account& account : accounts_) account.balance = balance;
  }

  [[nodiscard]] std::size_t size() const { return accounts_.size(); }
  [[nodiscard]] rt::Channel<Transfer>& journal() { return journal_; }

  void transfer(const Transfer& wanted) {
    // Held shared by all transfers, alone by who closes the books.
    const std::shared_lock open(books_);
    {
      Account& from = accounts_[wanted.from];
      Account& to = accounts_[wanted.to];
      const std::lock_guard first((wanted.from < wanted.to ? from : to).mutex);
      const std::lock_guard second((wanted.from < wanted.to ? to : from).mutex);
      if (from.balance < wanted.amount) return;
      from.balance -= wanted.amount;
      pause(2ms);
      to.balance += wanted.amount;
    }
    must(journal_.send(wanted).is_ok(), "the journal takes every transfer");
  }

  // With every account locked, in their order.
  void audit() {
    std::vector<std::unique_lock<rt::Mutex>> locks;
    for (Account& account : accounts_) locks.emplace_back(account.mutex);
    must(total() == all_money(), "an audit finds all of the money");
  }

  void close_books() {
    const std::lock_guard alone(books_);
    must(total() == all_money(), "no transfer is under way while the books are closed");
    pause(1ms);
    must(total() == all_money(), "nobody transfers while the books are closed");
  }

  void compare(const std::vector<int>& by_journal) const {
    for (std::size_t i = 0; i < accounts_.size(); ++i) {
      must(accounts_[i].balance == balance_ + by_journal[i], "the journal tells every balance");
      must(accounts_[i].balance >= 0, "no account is overdrawn");
    }
  }

 private:
  [[nodiscard]] int total() const {
    return std::accumulate(accounts_.begin(), accounts_.end(), 0,
                           [](int sum, const Account& account) { return sum + account.balance; });
  }
  [[nodiscard]] int all_money() const { return static_cast<int>(accounts_.size()) * balance_; }

  std::vector<Account> accounts_;
  const int balance_;
  rt::RwMutex books_;
  rt::Channel<Transfer> journal_{static_cast<std::size_t>(draw(0, 3))};
};

void customer(Bank& bank) {
  const int transfers = draw(2, 8);
  const int last = static_cast<int>(bank.size()) - 1;
  for (int i = 0; i < transfers; ++i) {
    const auto from = static_cast<std::size_t>(draw(0, last));
    const auto to = static_cast<std::size_t>(draw(0, last));
    if (from != to) bank.transfer({.from = from, .to = to, .amount = draw(1, 60)});
    pause(5ms);
  }
}

}  // namespace

void ledger() {
  Bank bank(static_cast<std::size_t>(draw(2, 5)), 100);
  std::vector<int> by_journal(bank.size());
  rt::Scope clerk;
  clerk.go("journal", [&] {
    for (const Transfer& done : bank.journal()) {
      by_journal[done.from] -= done.amount;
      by_journal[done.to] += done.amount;
    }
  });
  rt::Scope customers;
  const int count = draw(2, 6);
  for (int i = 0; i < count; ++i) customers.go("customer", [&] { customer(bank); });
  customers.go("auditor", [&] {
    for (int i = 0; i < 3; ++i) {
      bank.audit();
      pause(5ms);
    }
  });
  customers.go("bookkeeper", [&] {
    for (int i = 0; i < 2; ++i) {
      pause(10ms);
      bank.close_books();
    }
  });
  customers.join();
  bank.journal().close();
  clerk.join();
  bank.audit();
  bank.compare(by_journal);
}

}  // namespace parley::sim
