// Intrusive doubly linked lists: who waits for a mutex, a channel, a descriptor, a context. A node
// lives on the stack of the fiber that waits and can leave its list without knowing it. A list is
// guarded by the lock of what it belongs to. Private to rt.
#pragma once

#include "parley/base/assert.h"

namespace parley::rt::impl {

class Fiber;

struct ListNode {
  ListNode* previous = nullptr;
  ListNode* next = nullptr;

  ListNode() = default;
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;

  [[nodiscard]] bool is_linked() const { return next != nullptr; }
  void unlink() {
    if (!is_linked()) return;
    previous->next = next;
    next->previous = previous;
    previous = next = nullptr;
  }
};

// A list of Node, which derives from ListNode. Owns nothing.
template <class Node>
class List {
 public:
  List() { head_.previous = head_.next = &head_; }
  // Whoever still waits would be left with a node in a list that is gone.
  ~List() { PARLEY_ASSERT(empty(), "something was destroyed while a fiber waits for it"); }
  List(const List&) = delete;
  List& operator=(const List&) = delete;

  [[nodiscard]] bool empty() const { return head_.next == &head_; }
  [[nodiscard]] Node& front() { return *static_cast<Node*>(head_.next); }
  void push_back(Node& node) { insert_before(head_, node); }
  void push_front(Node& node) { insert_before(*head_.next, node); }
  Node& pop_front() {
    Node& node = front();
    node.unlink();
    return node;
  }
  // Calls visit(node) for each; visit may take the node it is given out, and nothing else.
  template <class Visit>
  void for_each(Visit visit) {
    for (ListNode* at = head_.next; at != &head_;) {
      ListNode* next = at->next;
      visit(*static_cast<Node*>(at));
      at = next;
    }
  }

 private:
  static void insert_before(ListNode& place, ListNode& node) {
    node.previous = place.previous;
    node.next = &place;
    place.previous->next = &node;
    place.previous = &node;
  }

  ListNode head_;
};

// A fiber in the list of its context.
struct FiberNode : ListNode {
  Fiber* fiber = nullptr;
};

// One fiber's place in the queue of one thing it waits for.
struct WaitNode : ListNode {
  Fiber* fiber = nullptr;
  bool chosen = false;  // the wake came through this node
};

using WaitList = List<WaitNode>;

}  // namespace parley::rt::impl
